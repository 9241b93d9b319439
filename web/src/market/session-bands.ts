import type { Millis, Ohlc } from "@tapecast/client";
import type { ExchangeHours, SessionPart } from "./exchange-hours";
import { indexUntil } from "./partition-point";

/** Successive bars in one part of a session. */
export interface SessionBand {
  readonly part: SessionPart;
  /** The start of the first and of the last bar. */
  readonly first: Millis;
  readonly last: Millis;
}

/** The bars between two times, inclusive, and their length. */
export interface BarsBetween {
  readonly from: number;
  readonly to: number;
  readonly lengthMs: number;
}

/** Joins the bars between two times, oldest first, by the part of the session that they are in. */
export function sessionBands(bars: readonly Ohlc[], { from, to, lengthMs }: BarsBetween, hours: ExchangeHours): readonly SessionBand[] {
  const bands: SessionBand[] = [];
  for (let at = indexUntil(bars, from - 1) + 1; at < bars.length; at += 1) {
    const bar = bars[at];
    if (bar === undefined || bar.time > to) break;
    const part = hours.partOf(bar.time, lengthMs);
    const open = bands.at(-1);
    if (open?.part === part) bands[bands.length - 1] = { ...open, last: bar.time };
    else bands.push({ part, first: bar.time, last: bar.time });
  }
  return bands;
}
