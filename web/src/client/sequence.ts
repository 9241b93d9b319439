import { CHANNELS, seq, type Channel, type MarketEvent, type Seq, type StockSymbol } from "../model";

/** A place in a stream where the numbers do not add up. */
export interface Gap {
  readonly channel: Channel;
  readonly symbol: StockSymbol;
  /** The number that should have come. */
  readonly expected: Seq;
  /** The number that came; lower than expected when something came twice or out of order. */
  readonly got: Seq;
}

/**
 * Holds a server to its promise: for two objects that follow each other in a stream,
 * `sq_now − sq_prev = cf + 1`. The first object of a stream proves nothing.
 */
export class SequenceCheck {
  private readonly last = new Map<Channel, Map<StockSymbol, Seq>>(CHANNELS.map((channel) => [channel, new Map()]));

  /** Takes note of an event; answers the gap before it, if there is one. */
  check(event: MarketEvent): Gap | undefined {
    const { channel, symbol, seq: got, merged } = event;
    const stream = this.last.get(channel);
    if (got === undefined || stream === undefined) return undefined;

    const before = stream.get(symbol);
    stream.set(symbol, got);
    if (before === undefined || got - before === merged + 1) return undefined;
    return { channel, symbol, expected: seq(before + 1), got: seq(got - merged) };
  }

  /**
   * Forgets the streams that an acknowledgement does not list: nothing more of them is under way,
   * and when they are subscribed to again their numbers go on elsewhere.
   */
  keepOnly(channels: Readonly<Record<Channel, readonly string[]>>): void {
    for (const [channel, stream] of this.last) {
      const listed = new Set(channels[channel]);
      if (listed.has("*")) continue;
      for (const symbol of stream.keys()) {
        if (!listed.has(symbol)) stream.delete(symbol);
      }
    }
  }

  /** A new connection: nothing is known of what came before. */
  reset(): void {
    for (const stream of this.last.values()) stream.clear();
  }
}
