import type { Ticker } from "@tapecast/client";

/** How far the last price is from the previous close. */
export interface DayChange {
  /** In dollars. */
  readonly dollars: number;
  /** As a fraction of the previous close. */
  readonly ratio: number;
}

/** The day's change of a ticker; undefined where one of the two prices is not known. */
export function dayChange(ticker: Ticker | undefined): DayChange | undefined {
  if (ticker?.last === undefined || ticker.previousClose === undefined) return undefined;
  return { dollars: ticker.last - ticker.previousClose, ratio: ticker.last / ticker.previousClose - 1 };
}

/** Where the last price is between the day's low (0) and high (1); undefined where one of them is not known. */
export function placeInRange(ticker: Ticker | undefined): number | undefined {
  if (ticker?.last === undefined || ticker.low === undefined || ticker.high === undefined) return undefined;
  const width = ticker.high - ticker.low;
  return width > 0 ? Math.min(1, Math.max(0, (ticker.last - ticker.low) / width)) : 0.5;
}
