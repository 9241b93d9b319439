import { CHANNELS, type Channel, type StockSymbol } from "../model";
import type { StreamSelection } from "../wire";

/** What is wanted, whether or not anybody is connected: what a new session is told first. */
export class Subscription {
  private readonly wanted = new Map<Channel, Set<StockSymbol>>(CHANNELS.map((channel) => [channel, new Set()]));

  /** Adds, and returns what was not wanted before. */
  add(wants: StreamSelection): StreamSelection {
    return this.change(wants, (wanted, symbol) => !wanted.has(symbol) && wanted.add(symbol).size > 0);
  }

  /** Removes, and returns what was wanted before. */
  remove(wants: StreamSelection): StreamSelection {
    return this.change(wants, (wanted, symbol) => wanted.delete(symbol));
  }

  /** All that is wanted. */
  all(): StreamSelection {
    return Object.fromEntries([...this.wanted].map(([channel, symbols]) => [channel, [...symbols]]));
  }

  private change(wants: StreamSelection, apply: (wanted: Set<StockSymbol>, symbol: StockSymbol) => boolean): StreamSelection {
    const changed: Partial<Record<Channel, readonly StockSymbol[]>> = {};
    for (const [channel, wanted] of this.wanted) {
      changed[channel] = (wants[channel] ?? []).filter((symbol) => apply(wanted, symbol));
    }
    return changed;
  }
}
