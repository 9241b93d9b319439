import type { Ohlc } from "@tapecast/client";

/** The volume that was traded between two prices. */
export interface VolumeRow {
  readonly from: number;
  readonly to: number;
  /** Of bars that rose or closed at their open, and of bars that fell. */
  readonly rising: number;
  readonly falling: number;
}

/**
 * The volume of bars by price, in rows of one height from the lowest price to the highest.
 *
 * A bar does not tell at which prices its volume was traded: it is spread evenly over the bar's range.
 */
export function volumeAtPrice(bars: readonly Ohlc[], rows: number): readonly VolumeRow[] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { low, high } of bars) [lowest, highest] = [Math.min(lowest, low), Math.max(highest, high)];
  if (highest < lowest) return [];
  const count = highest === lowest ? 1 : rows;
  const height = (highest - lowest) / count;
  const [rising, falling] = [new Float64Array(count), new Float64Array(count)];
  for (const bar of bars) spread(bar, lowest, height, bar.close >= bar.open ? rising : falling);
  return Array.from({ length: count }, (_, at) => ({
    from: lowest + at * height,
    to: at === count - 1 ? highest : lowest + (at + 1) * height,
    rising: rising[at] ?? 0,
    falling: falling[at] ?? 0,
  }));
}

/** Adds a bar's volume to the rows that it covers, to each by the part of the bar's range that is in it. */
function spread({ low, high, volume }: Ohlc, lowest: number, height: number, sums: Float64Array): void {
  const rowOf = (price: number) => (height === 0 ? 0 : Math.min(sums.length - 1, Math.floor((price - lowest) / height)));
  const [first, last] = [rowOf(low), rowOf(high)];
  for (let at = first; at <= last; at += 1) {
    const from = Math.max(low, lowest + at * height);
    const to = Math.min(high, lowest + (at + 1) * height);
    const share = first === last ? 1 : Math.max(0, to - from) / (high - low);
    sums[at] = (sums[at] ?? 0) + volume * share;
  }
}
