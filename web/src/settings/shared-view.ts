import { INTERVALS, MAX_SYMBOLS, validSymbols, type IntervalSeconds } from "../market";
import { asSymbol, type StockSymbol } from "@tapecast/client";

/** A view as it is written into a URL. */
export interface SharedView {
  readonly symbol: StockSymbol | undefined;
  /** "wall": for an unattended display. */
  readonly view?: "wall" | undefined;
  readonly interval: IntervalSeconds | undefined;
  /**
   * The list: by its id in the address of the user's own page, so that a reload or a bookmark shows what the list has
   * become, or by its symbols in a link for others.
   */
  readonly list: { readonly id: string } | { readonly symbols: readonly StockSymbol[] } | undefined;
}

/** Reads a URL's query, ignoring invalid parts. */
export function readSharedView(query: QueryLike): SharedView {
  const [id, list] = [query.get("watchlist"), query.get("list")];
  const seconds = Number(query.get("interval"));
  return {
    view: query.get("view") === "wall" ? "wall" : undefined,
    symbol: asSymbol(query.get("symbol")?.toUpperCase() ?? ""),
    interval: INTERVALS.find((interval) => interval === seconds),
    list: list !== null ? { symbols: validSymbols(list.toUpperCase().split(",")).slice(0, MAX_SYMBOLS) } : id !== null ? { id } : undefined,
  };
}

/** Writes a query with its question mark. Commas are not escaped, for readability. */
export function writeSharedView({ view, symbol, interval, list }: SharedView): string {
  const parts = {
    view,
    symbol: symbol && encodeURIComponent(symbol),
    interval,
    watchlist: list !== undefined && "id" in list ? encodeURIComponent(list.id) : undefined,
    list: list !== undefined && "symbols" in list ? list.symbols.map(encodeURIComponent).join(",") : undefined,
  };
  const named = Object.entries(parts).filter(([, value]) => value !== undefined && value !== "");
  return named.length === 0 ? "" : `?${named.map(([key, value]) => `${key}=${value ?? ""}`).join("&")}`;
}

/** The part of `URLSearchParams` that is used here. */
export interface QueryLike {
  get(key: string): string | null;
}
