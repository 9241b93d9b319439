import type { Ohlc } from "@tapecast/client";
import type { Point } from "./indicators";
import { indexUntil } from "./partition-point";

/**
 * The closes of another symbol at the bars of a chart, from the bar with this index on.
 *
 * Where the other symbol did not trade, its close is that of its last bar before: both have one time axis, that of the chart.
 */
export function closesAt(bars: readonly Ohlc[], other: readonly Ohlc[], from = 0): readonly Point[] {
  let at = indexUntil(other, bars[from]?.time ?? 0);
  return bars.slice(from).map(({ time }) => {
    while ((other[at + 1]?.time ?? Number.POSITIVE_INFINITY) <= time) at += 1;
    return { time, value: other[at]?.close };
  });
}

/**
 * The change of a symbol at a time since the first bar in view, as a fraction. In a scale of per cent, that bar is zero.
 * Undefined where one of the two is not known.
 */
export function changeSince(bars: readonly Ohlc[], first: number, time: number): number | undefined {
  // A symbol whose bars begin within the view begins at zero.
  const base = bars[Math.max(0, indexUntil(bars, first))];
  const current = bars[indexUntil(bars, time)];
  return base === undefined || current === undefined || current.time < base.time ? undefined : current.close / base.close - 1;
}
