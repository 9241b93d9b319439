import { OBJECT_CHANNELS, seq, type Channel, type MarketEvent, type ObjectChannel, type Seq, type StockSymbol } from "../model";
import type { StreamSelection } from "../wire";

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

/** The first and the last of the numbers that are missing. */
export type Missing = Pick<Gap, "from" | "to">;

/** What the position of an object is read from. */
interface Numbered {
  readonly seq: Seq;
  readonly conflated: number;
  readonly origin: "live" | "snapshot" | "replay";
}

/**
 * The last sequence number of each stream of a channel.
 *
 * Consecutive objects of a stream satisfy `sq_now - sq_prev = cf + 1` (docs/PROTOCOL.md, "Sequence numbers"). The first
 * object of a stream has no predecessor and is always accepted.
 */
export class StreamNumbers<Name extends string> {
  private readonly last = new Map<Name, Seq>();

  /** Classifies an object and records its number, unless it is a duplicate. */
  check(name: Name, { seq: number, conflated, origin }: Numbered): "next" | "duplicate" | Missing {
    const previous = this.last.get(name);
    // The snapshot of a resumed stream is ahead of the replay, which delivers the same object in order.
    if (previous !== undefined && (number <= previous || origin === "snapshot")) return "duplicate";
    this.last.set(name, number);
    if (previous === undefined || number - previous <= conflated + 1) return "next";
    return { from: seq(previous + 1), to: seq(number - conflated - 1) };
  }

  /**
   * Skips a gap that the server reported: the object after it is in order. A gap that begins before the last number
   * voids that number, which the server has never given.
   */
  skip(name: Name, { from, to }: Missing): void {
    const last = this.last.get(name) ?? 0;
    if (last < to || from <= last) this.last.set(name, to);
  }

  of(name: Name): Seq | undefined {
    return this.last.get(name);
  }

  forget(name: Name): void {
    this.last.delete(name);
  }

  /** Forgets the streams that are not listed. */
  retainOnly(names: readonly string[]): void {
    const listed = new Set(names);
    if (listed.has("*")) return;
    for (const name of this.last.keys()) {
      if (!listed.has(name)) this.last.delete(name);
    }
  }

  clear(): void {
    this.last.clear();
  }
}

/** Detects gaps and duplicates of the market's streams by sequence number. */
export class SequenceChecker {
  private readonly channels = new Map<ObjectChannel, StreamNumbers<StockSymbol>>(OBJECT_CHANNELS.map((channel) => [channel, new StreamNumbers()]));

  /** Classifies an event and records its number, unless it is a duplicate. */
  check(event: MarketEvent): Order {
    const { channel, symbol, seq: number } = event;
    if (number === undefined) return "next";
    const order = this.channels.get(channel)?.check(symbol, event as MarketEvent & Numbered) ?? "next";
    return typeof order === "string" ? order : { channel, symbol, ...order, detectedBy: "client" };
  }

  /** The last number of a stream. */
  lastOf(channel: ObjectChannel, symbol: StockSymbol): Seq | undefined {
    return this.channels.get(channel)?.of(symbol);
  }

  /** Skips a gap that the server reported. */
  skip(gap: Gap): void {
    this.channels.get(gap.channel)?.skip(gap.symbol, gap);
  }

  /** The last sequence number of each of these streams of these channels, for a resume request. */
  lastNumbers(streams: StreamSelection, channels: readonly Channel[]): Partial<Record<Channel, Record<StockSymbol, Seq>>> {
    const known = channels.map((channel) => {
      const numbers = this.channels.get(channel);
      const last = (streams[channel] ?? []).map((symbol) => [symbol, numbers?.of(symbol)] as const);
      return [channel, last.filter(([, number]) => number !== undefined)] as const;
    });
    return Object.fromEntries(known.filter(([, last]) => last.length > 0).map(([channel, last]) => [channel, Object.fromEntries(last)]));
  }

  /**
   * Forgets the streams that an acknowledgement does not list. No more of their objects are in flight, and a later
   * subscription continues at an unrelated number.
   */
  retainOnly(channels: Readonly<Record<ObjectChannel, readonly string[]>>): void {
    for (const [channel, numbers] of this.channels) numbers.retainOnly(channels[channel]);
  }

  /** Forgets all channels except those to be resumed, for a new connection. */
  reset(resumed: readonly ObjectChannel[] = []): void {
    for (const [channel, numbers] of this.channels) {
      if (!resumed.includes(channel)) numbers.clear();
    }
  }
}
