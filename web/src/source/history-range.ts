import type { Millis, StockSymbol } from "@tapecast/client";
import { isJsonObject, timeOf } from "./fields";

/** The resources of history whose beginning is asked for, by their query. */
const QUERIES = {
  trades: "trades?",
  seconds: "bars?timeframe=1Sec&",
  minutes: "bars?timeframe=1Min&",
  days: "bars?timeframe=1Day&",
} as const;

export type RangeId = keyof typeof QUERIES;

export const RANGES = Object.keys(QUERIES) as readonly RangeId[];

/** The path of the query for the oldest object that the server has of a symbol. */
export const rangePath = (range: RangeId, symbol: StockSymbol): string =>
  `/v2/stocks/${QUERIES[range]}symbols=${encodeURIComponent(symbol)}&start=1970-01-01T00:00:00Z&sort=asc&limit=1`;

/** The time of the first object of an answer; undefined if there is none. */
export function firstTime(body: unknown, range: RangeId, symbol: StockSymbol): Millis | undefined {
  const lists = isJsonObject(body) ? body[range === "trades" ? "trades" : "bars"] : undefined;
  const list = isJsonObject(lists) ? lists[symbol] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return isJsonObject(first) ? timeOf(first["t"]) : undefined;
}
