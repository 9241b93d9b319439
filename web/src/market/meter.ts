import type { MarketEvent, Millis } from "@tapecast/client";

/** Throughput and latency of the last seconds. */
export interface Reading {
  /** Objects per second. */
  readonly perSecond: number;
  /** Milliseconds from an object's event time to its arrival; undefined without samples. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Latency histogram: `HISTOGRAM_BARS` bars of equal logarithmic width from the first to the last of `EDGES_MS`. */
  readonly histogram: readonly number[];
}

/** The labelled bounds of the histogram. */
export const EDGES_MS = [0.1, 1, 10, 100, 1_000, 10_000] as const;

/** Bars between two edges. */
const BARS_PER_EDGE = 6;

export const HISTOGRAM_BARS = BARS_PER_EDGE * (EDGES_MS.length - 1);

/** The number of whole seconds that a reading covers. */
const WINDOW = 5;

/** Each bucket is 5% wider than the previous one, from 0.05 ms to beyond a minute: fixed memory, error below 5%. */
const GROWTH = 1.05;
const SMALLEST_MS = 0.05;
const BUCKETS = 300;

const INTERRUPTION_MS = 1_000;

interface Second {
  /** The second since the Unix epoch that this slot counts. */
  second: number;
  objects: number;
  readonly latencies: Uint32Array;
}

/** Counts objects and their latency per second, in a ring buffer. */
export class Meter {
  /** One slot more than a reading covers, for the current second. */
  private readonly ring: readonly Second[] = Array.from({ length: WINDOW + 1 }, () => ({
    second: -1,
    objects: 0,
    latencies: new Uint32Array(BUCKETS),
  }));

  /** The first second with an object: rates are not averaged over the time before it. */
  private first = Number.POSITIVE_INFINITY;

  /** Objects that arrive until this time waited somewhere, while the page slept or was disconnected. */
  private ignoredUntil = Number.NEGATIVE_INFINITY;

  /** The latency of objects that arrive within the next second is that of an interruption, not of the feed. */
  interrupted(now: Millis): void {
    this.ignoredUntil = now + INTERRUPTION_MS;
  }

  count(event: MarketEvent, receivedAt: Millis): void {
    const second = Math.floor(receivedAt / 1000);
    this.first = Math.min(this.first, second);
    const slot = this.slotOf(second);
    if (slot === undefined) return;
    slot.objects += 1;
    if (receivedAt < this.ignoredUntil || !isTimed(event)) return;
    const bucket = bucketOf(receivedAt - event.time);
    slot.latencies[bucket] = (slot.latencies[bucket] ?? 0) + 1;
  }

  /** Reads the last whole seconds before now. */
  read(now: Millis): Reading {
    const current = Math.floor(now / 1000);
    const seconds = this.ring.filter(({ second }) => second < current && second >= current - WINDOW);
    const objects = seconds.reduce((sum, slot) => sum + slot.objects, 0);
    const totals = new Uint32Array(BUCKETS);
    for (const { latencies } of seconds) {
      latencies.forEach((count, bucket) => (totals[bucket] = (totals[bucket] ?? 0) + count));
    }
    return {
      perSecond: objects / Math.min(WINDOW, Math.max(1, current - this.first)),
      p50: quantile(totals, 0.5),
      p99: quantile(totals, 0.99),
      histogram: histogramOf(totals),
    };
  }

  private slotOf(second: number): Second | undefined {
    const slot = this.ring[second % this.ring.length];
    if (slot !== undefined && slot.second !== second) {
      slot.second = second;
      slot.objects = 0;
      slot.latencies.fill(0);
    }
    return slot;
  }
}

/** The times of bars (their start), of snapshots and replays and of trades that were reported late say nothing about latency. */
function isTimed(event: MarketEvent): boolean {
  if (event.origin !== "live") return false;
  if (event.channel === "trades") return !event.isLate;
  return event.channel === "quotes" || event.channel === "tickers";
}

/** A negative latency means clock skew; it is counted as the smallest. */
function bucketOf(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(GROWTH)));
}

function histogramOf(counts: Uint32Array): readonly number[] {
  const bars = Array.from({ length: HISTOGRAM_BARS }, () => 0);
  counts.forEach((count, bucket) => {
    const ms = SMALLEST_MS * GROWTH ** bucket;
    const bar = Math.floor(Math.log10(ms / EDGES_MS[0]) * BARS_PER_EDGE);
    const at = Math.min(HISTOGRAM_BARS - 1, Math.max(0, bar));
    bars[at] = (bars[at] ?? 0) + count;
  });
  return bars;
}

/** The upper bound of the bucket that contains this quantile. */
function quantile(counts: Uint32Array, rank: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  const bucket = counts.findIndex((count) => (seen += count) >= total * rank);
  return SMALLEST_MS * GROWTH ** bucket;
}
