import { CHANNELS, symbolOf, type Channel, type StockSymbol } from "../model";
import type { StreamSelection } from "../wire";

/** Symbols by channel, such as `{ tickers: ["AAPL", "MSFT"] }`. The symbol `*` stands for all. */
export type Streams = Readonly<Partial<Record<Channel, readonly string[]>>>;

/** Checks streams. Throws a `TypeError` for what is no symbol or no channel. */
export function selectionOf(streams: Streams): StreamSelection {
  return Object.fromEntries(
    Object.entries(streams).map(([channel, symbols]) => {
      if (!CHANNELS.includes(channel as Channel)) throw new TypeError(`not a channel: ${channel}`);
      return [channel, symbols.map(symbolOf)];
    }),
  );
}

/** The streams that the application subscribed to. They outlive the connection and are sent again on each new one. */
export class Subscriptions {
  private readonly desired = new Map<Channel, Set<StockSymbol>>(CHANNELS.map((channel) => [channel, new Set()]));

  /** Adds streams; returns those that are new. */
  add(streams: StreamSelection): StreamSelection {
    return this.change(streams, (symbols, symbol) => !symbols.has(symbol) && symbols.add(symbol).size > 0);
  }

  /** Removes streams; returns those that were present. */
  remove(streams: StreamSelection): StreamSelection {
    return this.change(streams, (symbols, symbol) => symbols.delete(symbol));
  }

  all(): StreamSelection {
    return Object.fromEntries([...this.desired].map(([channel, symbols]) => [channel, [...symbols]]));
  }

  private change(streams: StreamSelection, apply: (symbols: Set<StockSymbol>, symbol: StockSymbol) => boolean): StreamSelection {
    const changed: Partial<Record<Channel, readonly StockSymbol[]>> = {};
    for (const [channel, symbols] of this.desired) {
      changed[channel] = (streams[channel] ?? []).filter((symbol) => apply(symbols, symbol));
    }
    return changed;
  }
}
