import { OBJECT_CHANNELS, seq, type Channel, type MarketEvent, type ObjectChannel, type Seq, type StockSymbol } from "../model";

/** A range of objects missing from a stream. */
export interface Gap {
  readonly channel: ObjectChannel;
  readonly symbol: StockSymbol;
  /** The first missing sequence number. */
  readonly from: Seq;
  /** The last missing sequence number. */
  readonly to: Seq;
  /** Reported by the server, or detected by the client from sequence numbers. */
  readonly detectedBy: "server" | "client";
}

/** The position of an object relative to the previous one of its stream. A duplicate was delivered already, by itself or conflated. */
export type Order = "next" | "duplicate" | Gap;

/**
 * Detects gaps and duplicates by sequence number.
 *
 * Consecutive objects of a stream satisfy `sq_now - sq_prev = cf + 1` (docs/PROTOCOL.md, "Sequence numbers"). The first
 * object of a stream has no predecessor and is always accepted.
 */
export class SequenceChecker {
  private readonly last = new Map<ObjectChannel, Map<StockSymbol, Seq>>(OBJECT_CHANNELS.map((channel) => [channel, new Map()]));

  /** Classifies an event and records its number, unless it is a duplicate. */
  check(event: MarketEvent): Order {
    const { channel, symbol, seq: number, conflated, origin } = event;
    const stream = this.last.get(channel);
    if (number === undefined || stream === undefined) return "next";

    const previous = stream.get(symbol);
    // The snapshot of a resumed stream is ahead of the replay, which delivers the same object in order.
    if (previous !== undefined && (number <= previous || origin === "snapshot")) return "duplicate";
    stream.set(symbol, number);
    if (previous === undefined || number - previous <= conflated + 1) return "next";
    return { channel, symbol, from: seq(previous + 1), to: seq(number - conflated - 1), detectedBy: "client" };
  }

  /**
   * Skips a gap that the server reported: the object after it is in order. A gap that begins before the last number
   * voids that number, which the server has never given.
   */
  skip({ channel, symbol, from, to }: Gap): void {
    const stream = this.last.get(channel);
    const last = stream?.get(symbol) ?? 0;
    if (last < to || from <= last) stream?.set(symbol, to);
  }

  /** The last sequence number of each of these streams, for a resume request. */
  lastNumbers(streams: Readonly<Partial<Record<Channel, readonly StockSymbol[]>>>): Partial<Record<Channel, Record<StockSymbol, Seq>>> {
    const known = Object.entries(streams).map(([channel, symbols]) => {
      const stream = this.last.get(channel as Channel);
      return [channel, symbols.flatMap((symbol) => stream?.has(symbol) ? [[symbol, stream.get(symbol)] as const] : [])] as const;
    });
    return Object.fromEntries(known.filter(([, last]) => last.length > 0).map(([channel, last]) => [channel, Object.fromEntries(last)]));
  }

  /**
   * Forgets the streams that an acknowledgement does not list. No more of their objects are in flight, and a later
   * subscription continues at an unrelated number.
   */
  retainOnly(channels: Readonly<Record<ObjectChannel, readonly string[]>>): void {
    for (const [channel, stream] of this.last) {
      const listed = new Set(channels[channel]);
      if (listed.has("*")) continue;
      for (const symbol of stream.keys()) {
        if (!listed.has(symbol)) stream.delete(symbol);
      }
    }
  }

  /** Forgets all channels except those to be resumed, for a new connection. */
  reset(resumed: readonly ObjectChannel[] = []): void {
    for (const [channel, stream] of this.last) {
      if (!resumed.includes(channel)) stream.clear();
    }
  }
}
