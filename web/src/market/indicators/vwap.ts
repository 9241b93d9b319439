import type { Millis, Ohlc } from "@tapecast/client";
import type { ExchangeHours } from "../exchange-hours";
import type { Indicator } from "./indicator";

/**
 * The volume-weighted average price since the session's start, of the typical price of each bar: `(high + low + close) / 3`.
 *
 * A bar belongs to the session in which it starts.
 */
export function vwap(hours: ExchangeHours): Indicator {
  const after = (run: number | undefined, traded: number, volume: number): Indicator => ({
    value: volume > 0 ? traded / volume : undefined,
    next: (bar) => {
      const current = hours.runOf(bar.time);
      const typical = (bar.high + bar.low + bar.close) / 3;
      const isNew = current !== run;
      return after(current, (isNew ? 0 : traded) + typical * bar.volume, (isNew ? 0 : volume) + bar.volume);
    },
  });
  return after(undefined, 0, 0);
}

/**
 * The first bar's time, if it is within the session of this time: then bars since the session's start are missing, and so
 * is their part of the average.
 */
export function missesSessionStart(bars: readonly Ohlc[], time: number, hours: ExchangeHours): Millis | undefined {
  const first = bars[0]?.time;
  if (first === undefined) return undefined;
  const run = hours.runOf(time);
  return hours.runOf(first) === run && hours.runOf(first - 1) === run ? first : undefined;
}
