import { INTERVALS, MAX_SYMBOLS, validSymbols, type IntervalSeconds } from "../market";
import { asSymbol, type StockSymbol } from "../model";

/** What is looked at, so that it can be shared: it stands in the page's address. */
export interface View {
  readonly symbol: StockSymbol | undefined;
  readonly interval: IntervalSeconds | undefined;
  /** The symbols of the list that is shown; undefined when the address names none. */
  readonly symbols: readonly StockSymbol[] | undefined;
}

/** Reads the query of an address; what makes no sense in it is left out. */
export function readView(query: URLSearchLike): View {
  const list = query.get("list");
  const seconds = Number(query.get("interval"));
  return {
    symbol: asSymbol(query.get("symbol")?.toUpperCase() ?? ""),
    interval: INTERVALS.find((interval) => interval === seconds),
    symbols: list === null ? undefined : validSymbols(list.toUpperCase().split(",")).slice(0, MAX_SYMBOLS),
  };
}

/** Writes it as a query that begins with a question mark. Commas stay readable. */
export function writeView({ symbol, interval, symbols }: View): string {
  const pairs = { symbol, interval, list: symbols?.map(encodeURIComponent).join(",") };
  const named = Object.entries(pairs).filter(([, value]) => value !== undefined && value !== "");
  return named.length === 0 ? "" : `?${named.map(([key, value]) => `${key}=${key === "list" ? String(value) : encodeURIComponent(value ?? "")}`).join("&")}`;
}

/** What is asked of the browser's URLSearchParams. */
export interface URLSearchLike {
  get(key: string): string | null;
}
