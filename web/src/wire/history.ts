import { millis, price, shares, type Millis, type Ohlc, type StockSymbol, type Trade } from "../model";
import { BadField, countAt, isJson, numberAt, optionalCountAt, type Json } from "./fields";
import { timeAt } from "./time";

/** How long the bars of history are, as a query names them. */
export type Timeframe = "1Sec" | "5Sec" | "1Min" | "5Min" | "1Day";

/** Bars from memory, the newest first, of one page. */
export interface BarsQuery {
  readonly symbols: readonly StockSymbol[];
  readonly timeframe: Timeframe;
  readonly start: Millis;
  /** Bars that begin up to here, itself included. */
  readonly end?: Millis;
  /** Over all symbols together. */
  readonly limit: number;
  readonly pageToken?: string;
}

/** A page of history by symbol, each oldest first. */
export interface Page<Item> {
  readonly bySymbol: ReadonlyMap<StockSymbol, readonly Item[]>;
  readonly next: string | undefined;
}

export function barsPath({ symbols, timeframe, start, end, limit, pageToken }: BarsQuery): string {
  return path("bars", { ...{ symbols: symbols.join(","), timeframe, start: textOf(start), end: end && textOf(end), limit }, sort: "desc", page_token: pageToken });
}

export function tradesPath(symbol: StockSymbol, start: Millis, end: Millis, limit: number): string {
  return path("trades", { symbols: symbol, start: textOf(start), end: textOf(end), limit, sort: "desc" });
}

/** Reads an answer to `barsPath`; undefined when it is none. */
export function readBars(body: unknown): Page<Ohlc> | undefined {
  return readPage(body, "bars", (item) => ({
    time: timeAt(item, "t"),
    open: price(numberAt(item, "o")),
    high: price(numberAt(item, "h")),
    low: price(numberAt(item, "l")),
    close: price(numberAt(item, "c")),
    volume: shares(countAt(item, "v")),
  }));
}

/** Reads an answer to `tradesPath`. History carries no sequence numbers: a trade is known by its id. */
export function readTrades(body: unknown): Page<Trade> | undefined {
  return readPage(body, "trades", (item, symbol) => ({
    ...{ channel: "trades", symbol, seq: undefined, merged: 0, told: "snapshot", time: timeAt(item, "t") },
    id: optionalCountAt(item, "i") ?? 0,
    price: price(numberAt(item, "p")),
    size: shares(countAt(item, "s")),
    venue: typeof item["x"] === "string" ? item["x"] : "",
  }));
}

function readPage<Item extends { readonly time: Millis }>(
  body: unknown,
  key: string,
  read: (item: Json, symbol: StockSymbol) => Item,
): Page<Item> | undefined {
  const lists = isJson(body) ? body[key] : undefined;
  if (!isJson(body) || !isJson(lists)) return undefined;
  const token = body["next_page_token"];
  const bySymbol = new Map<StockSymbol, readonly Item[]>();
  try {
    for (const [symbol, list] of Object.entries(lists)) {
      if (!Array.isArray(list)) return undefined;
      const items = list.flatMap((item: unknown) => (isJson(item) ? [read(item, symbol as StockSymbol)] : []));
      bySymbol.set(symbol as StockSymbol, items.sort((a, b) => a.time - b.time));
    }
  } catch (fault) {
    if (fault instanceof BadField) return undefined;
    throw fault;
  }
  return { bySymbol, next: typeof token === "string" ? token : undefined };
}

function path(what: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return `/v2/stocks/${what}?${pairs.join("&")}`;
}

const textOf = (time: Millis): string => new Date(Math.floor(time)).toISOString();

/** The millisecond before: where the page of older bars ends. */
export const justBefore = (time: Millis): Millis => millis(Math.ceil(time) - 1);
