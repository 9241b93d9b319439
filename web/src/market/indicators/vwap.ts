import type { Millis, Ohlc } from "@tapecast/client";
import type { Indicator } from "./indicator";
import { Sessions } from "./session";

/**
 * The volume-weighted average price since the session's start, of the typical price of each bar: `(high + low + close) / 3`.
 *
 * A bar belongs to the session in which it starts.
 */
export function vwap(): Indicator {
  const sessions = new Sessions();
  const after = (session: string, traded: number, volume: number): Indicator => ({
    value: volume > 0 ? traded / volume : undefined,
    next: (bar) => {
      const current = sessions.sessionOf(bar.time);
      const typical = (bar.high + bar.low + bar.close) / 3;
      const isNew = current !== session;
      return after(current, (isNew ? 0 : traded) + typical * bar.volume, (isNew ? 0 : volume) + bar.volume);
    },
  });
  return after("", 0, 0);
}

/**
 * The first bar's time, if it is within the session of this time: then bars since the session's start are missing, and so
 * is their part of the average.
 */
export function missesSessionStart(bars: readonly Ohlc[], time: number): Millis | undefined {
  const first = bars[0]?.time;
  const sessions = new Sessions();
  if (first === undefined) return undefined;
  const session = sessions.sessionOf(time);
  return sessions.sessionOf(first) === session && sessions.sessionOf(first - 1) === session ? first : undefined;
}
