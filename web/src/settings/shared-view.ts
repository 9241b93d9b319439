import { INTERVALS, MAX_SYMBOLS, validSymbols, type IntervalSeconds } from "../market";
import { asSymbol, type StockSymbol } from "../model";

/** The current view, as it is written into the page's URL to be shared. */
export interface SharedView {
  readonly symbol: StockSymbol | undefined;
  readonly interval: IntervalSeconds | undefined;
  /** The symbols of the current list; undefined if the URL has none. */
  readonly symbols: readonly StockSymbol[] | undefined;
}

/** Reads a URL's query, ignoring invalid parts. */
export function readSharedView(query: QueryLike): SharedView {
  const list = query.get("list");
  const seconds = Number(query.get("interval"));
  return {
    symbol: asSymbol(query.get("symbol")?.toUpperCase() ?? ""),
    interval: INTERVALS.find((interval) => interval === seconds),
    symbols: list === null ? undefined : validSymbols(list.toUpperCase().split(",")).slice(0, MAX_SYMBOLS),
  };
}

/** Writes a query with its question mark. Commas are not escaped, for readability. */
export function writeSharedView({ symbol, interval, symbols }: SharedView): string {
  const pairs = { symbol, interval, list: symbols?.map(encodeURIComponent).join(",") };
  const named = Object.entries(pairs).filter(([, value]) => value !== undefined && value !== "");
  return named.length === 0 ? "" : `?${named.map(([key, value]) => `${key}=${key === "list" ? String(value) : encodeURIComponent(value ?? "")}`).join("&")}`;
}

/** The part of `URLSearchParams` that is used here. */
export interface QueryLike {
  get(key: string): string | null;
}
