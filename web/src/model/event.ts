import type { Millis, Price, Seq, Shares } from "./numbers";
import type { StockSymbol } from "./symbol";

/** The kinds of data that can be subscribed to, named as in a subscription. */
export const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "tickers"] as const;

export type Channel = (typeof CHANNELS)[number];

/** What every object of a stream says. */
interface InStream {
  readonly symbol: StockSymbol;
  /** Its number in the stream; absent from servers that do not number. */
  readonly seq: Seq | undefined;
  /** How many earlier objects of the stream were merged into this one. */
  readonly merged: number;
  /** A snapshot is the newest object there was when the stream was subscribed to: it is told, it did not happen now. */
  readonly told: "live" | "snapshot";
  /** When it happened by the market's clock; for a bar, when the bar began. */
  readonly time: Millis;
}

/** Shares changed hands. */
export interface Trade extends InStream {
  readonly channel: "trades";
  /** The venue's number for it, rising per symbol; 0 when there is none. */
  readonly id: number;
  readonly price: Price;
  readonly size: Shares;
  /** One letter for the venue. */
  readonly venue: string;
}

/** The best bid or the best ask changed. */
export interface Quote extends InStream {
  readonly channel: "quotes";
  readonly bid: Price;
  readonly bidSize: Shares;
  readonly ask: Price;
  readonly askSize: Shares;
}

/** Open, high, low, close and volume of a stretch of time that begins at `time`. */
export interface Ohlc {
  readonly time: Millis;
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly close: Price;
  readonly volume: Shares;
}

/** A bar as the server folded it: of a minute, of a minute again, or of the day so far. */
export interface Bar extends InStream, Ohlc {
  readonly channel: "bars" | "updatedBars" | "dailyBars";
}

/** Trading in a symbol was halted, or resumed. */
export interface Status extends InStream {
  readonly channel: "statuses";
  readonly trading: "halted" | "open";
  /** Why, in the venue's words. */
  readonly reason: string;
}

/** All that a board shows of one symbol, in one object. Before the first quote bid and ask are 0. */
export interface Ticker extends InStream {
  readonly channel: "tickers";
  readonly last: Price;
  readonly bid: Price;
  readonly bidSize: Shares;
  readonly ask: Price;
  readonly askSize: Shares;
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly previousClose: Price;
  readonly volume: Shares;
}

/** What the market says. */
export type MarketEvent = Trade | Quote | Bar | Status | Ticker;
