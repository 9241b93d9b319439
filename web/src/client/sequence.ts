import { CHANNELS, seq, type Channel, type MarketEvent, type Seq, type StockSymbol } from "../model";

/** A place in a stream where something is missing. */
export interface Gap {
  readonly channel: Channel;
  readonly symbol: StockSymbol;
  /** The first number that is missing. */
  readonly from: Seq;
  /** The last. */
  readonly to: Seq;
  /** Whether the server said so, or the numbers gave it away. */
  readonly known: "told" | "noticed";
}

/** How an object stands to the one before it in its stream. `again`: it is here already, in it or in a newer one. */
export type Order = "follows" | "again" | Gap;

/**
 * Holds a server to its promise: for two objects that follow each other in a stream,
 * `sq_now − sq_prev = cf + 1`. The first object of a stream proves nothing.
 */
export class SequenceCheck {
  private readonly last = new Map<Channel, Map<StockSymbol, Seq>>(CHANNELS.map((channel) => [channel, new Map()]));

  /** Takes note of an event, unless it came already. */
  check(event: MarketEvent): Order {
    const { channel, symbol, seq: got, conflated, origin } = event;
    const stream = this.last.get(channel);
    if (got === undefined || stream === undefined) return "follows";

    const before = stream.get(symbol);
    // A snapshot of a stream that is being resumed runs ahead of the replay, which brings it again in its place.
    if (before !== undefined && (got <= before || origin === "snapshot")) return "again";
    stream.set(symbol, got);
    if (before === undefined || got - before <= conflated + 1) return "follows";
    return { channel, symbol, from: seq(before + 1), to: seq(got - conflated - 1), known: "noticed" };
  }

  /** The server says itself that these will not come: what follows them is in order. */
  skip({ channel, symbol, to }: Gap): void {
    const stream = this.last.get(channel);
    if ((stream?.get(symbol) ?? 0) < to) stream?.set(symbol, to);
  }

  /** The last numbers of these streams, as a server is asked to resume after them. */
  lastOf(streams: Readonly<Partial<Record<Channel, readonly StockSymbol[]>>>): Partial<Record<Channel, Record<StockSymbol, Seq>>> {
    const known = Object.entries(streams).map(([channel, symbols]) => {
      const stream = this.last.get(channel as Channel);
      return [channel, symbols.flatMap((symbol) => stream?.has(symbol) ? [[symbol, stream.get(symbol)] as const] : [])] as const;
    });
    return Object.fromEntries(known.filter(([, last]) => last.length > 0).map(([channel, last]) => [channel, Object.fromEntries(last)]));
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

  /** A new connection: of all channels but those to be resumed, nothing is known of what came between. */
  reset(resumed: readonly Channel[] = []): void {
    for (const [channel, stream] of this.last) {
      if (!resumed.includes(channel)) stream.clear();
    }
  }
}
