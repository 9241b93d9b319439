import { millis, price, shares, type Millis, type Ohlc, type StockSymbol, type Trade } from "../model";
import { FieldError, countField, isJsonObject, letterField, numberField, optionalCountField, readConditions, type JsonObject } from "./fields";
import { timeField } from "./time";

/** Bar lengths of historical queries. */
export type Timeframe = "1Sec" | "5Sec" | "1Min" | "5Min" | "15Min" | "1Hour" | "1Day";

/** A query for one page of historical bars, newest first. The bar that is still open is included. */
export interface BarsQuery {
  readonly symbols: readonly StockSymbol[];
  readonly timeframe: Timeframe;
  readonly start: Millis;
  /** The latest start of a bar, inclusive. */
  readonly end?: Millis;
  /** The maximum number of bars, over all symbols together. */
  readonly limit: number;
  readonly pageToken?: string;
}

/** One page of history by symbol, each oldest first. */
export interface Page<Item> {
  readonly bySymbol: ReadonlyMap<StockSymbol, readonly Item[]>;
  readonly next: string | undefined;
}

export function barsPath({ symbols, timeframe, start, end, limit, pageToken }: BarsQuery): string {
  return path("bars", { ...{ symbols: symbols.join(","), timeframe, start: textOf(start), end: end && textOf(end), limit }, sort: "desc", page_token: pageToken, partial: "true" });
}

export function tradesPath(symbol: StockSymbol, start: Millis, end: Millis, limit: number): string {
  return path("trades", { symbols: symbol, start: textOf(start), end: textOf(end), limit, sort: "desc" });
}

/** Decodes a response to `barsPath`; undefined if it is malformed. */
export function readBars(body: unknown): Page<Ohlc> | undefined {
  return readPage(body, "bars", (item) => ({
    time: timeField(item, "t"),
    open: price(numberField(item, "o")),
    high: price(numberField(item, "h")),
    low: price(numberField(item, "l")),
    close: price(numberField(item, "c")),
    volume: shares(countField(item, "v")),
  }));
}

/** Decodes a response to `tradesPath`. REST carries no sequence numbers; a trade is identified by its id. */
export function readTrades(body: unknown): Page<Trade> | undefined {
  return readPage(body, "trades", (item, symbol) => ({
    ...{ channel: "trades", symbol, seq: undefined, conflated: 0, origin: "snapshot", time: timeField(item, "t") },
    id: optionalCountField(item, "i") ?? 0,
    price: price(numberField(item, "p")),
    size: shares(countField(item, "s")),
    venue: letterField(item, "x"),
    tape: letterField(item, "z"),
    ...readConditions(item),
  }));
}

function readPage<Item extends { readonly time: Millis }>(
  body: unknown,
  key: string,
  read: (item: JsonObject, symbol: StockSymbol) => Item,
): Page<Item> | undefined {
  const lists = isJsonObject(body) ? body[key] : undefined;
  if (!isJsonObject(body) || !isJsonObject(lists)) return undefined;
  const token = body["next_page_token"];
  const bySymbol = new Map<StockSymbol, readonly Item[]>();
  try {
    for (const [symbol, list] of Object.entries(lists)) {
      if (!Array.isArray(list)) return undefined;
      const items = list.flatMap((item: unknown) => (isJsonObject(item) ? [read(item, symbol as StockSymbol)] : []));
      bySymbol.set(symbol as StockSymbol, items.sort((a, b) => a.time - b.time));
    }
  } catch (error) {
    if (error instanceof FieldError) return undefined;
    throw error;
  }
  return { bySymbol, next: typeof token === "string" ? token : undefined };
}

function path(resource: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return `/v2/stocks/${resource}?${pairs.join("&")}`;
}

const textOf = (time: Millis): string => new Date(Math.floor(time)).toISOString();

/** The last whole millisecond before a time: the inclusive end of a query for older bars. */
export const millisecondBefore = (time: Millis): Millis => millis(Math.ceil(time) - 1);
