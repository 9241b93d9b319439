import type { Millis, Price, Seq, Shares } from "./numbers";
import type { StockSymbol } from "./symbol";

/** Channels that can be subscribed to, named and ordered as in a subscribe command. */
export const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "tickers"] as const;

export type Channel = (typeof CHANNELS)[number];

/** Channels of objects: those that can be subscribed to, and those that come with trades. */
export const OBJECT_CHANNELS = [...CHANNELS, "cancelErrors", "corrections"] as const;

export type ObjectChannel = (typeof OBJECT_CHANNELS)[number];

/** Fields common to every object of a (channel, symbol) stream. */
interface StreamObject {
  readonly symbol: StockSymbol;
  /** Sequence number in the stream; absent from servers without sequence numbers. */
  readonly seq: Seq | undefined;
  /** Number of earlier objects of the stream that were conflated into this one. */
  readonly conflated: number;
  /**
   * A snapshot repeats the latest object at the time of the subscription, a replay is an object that was missed while
   * disconnected. Neither happened now.
   */
  readonly origin: "live" | "snapshot" | "replay";
  /** Event time by the market's clock; the start of a bar. */
  readonly time: Millis;
}

/** A trade. */
export interface Trade extends StreamObject {
  readonly channel: "trades";
  /** The venue's trade id, rising per symbol; 0 when there is none. */
  readonly id: number;
  readonly price: Price;
  readonly size: Shares;
  /** One letter for the venue. */
  readonly venue: string;
  /** One letter for the tape of the symbol's listing: `A` NYSE, `B` regional, `C` Nasdaq; empty for none. */
  readonly tape: string;
  /** Sale conditions of the consolidated tape, one character each, such as `@I`; empty where the source names none. */
  readonly conditions: string;
  /** The trade was reported late: its time and its price are those of earlier. */
  readonly isLate: boolean;
}

/** A trade is cancelled, or was reported in error. */
export interface Cancel extends StreamObject {
  readonly channel: "cancelErrors";
  /** The id of the cancelled trade. */
  readonly id: number;
}

/** A trade had another price or size than reported. */
export interface Correction extends StreamObject {
  readonly channel: "corrections";
  /** The id of the trade as it was reported. */
  readonly id: number;
  readonly price: Price;
  readonly size: Shares;
}

/** A change of the best bid or the best ask. A side without an order has no price. */
export interface Quote extends StreamObject {
  readonly channel: "quotes";
  readonly bid: Price | undefined;
  readonly bidSize: Shares;
  readonly ask: Price | undefined;
  readonly askSize: Shares;
}

/** Open, high, low, close and volume of an interval that starts at `time`. */
export interface Ohlc {
  readonly time: Millis;
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly close: Price;
  readonly volume: Shares;
}

/** A bar computed by the server: of a minute, of a minute corrected later, or of the day so far. */
export interface Bar extends StreamObject, Ohlc {
  readonly channel: "bars" | "updatedBars" | "dailyBars";
}

/** A halt or a resumption of trading. */
export interface Status extends StreamObject {
  readonly channel: "statuses";
  readonly trading: "halted" | "open";
  /** The reason in the venue's words. */
  readonly reason: string;
}

/**
 * Everything that a watchlist row shows, in one object. A price that the server does not know is undefined, and so is every
 * field that the session does not select (`CompactTickers`).
 */
export interface Ticker extends StreamObject {
  readonly channel: "tickers";
  readonly last: Price | undefined;
  readonly bid: Price | undefined;
  readonly bidSize: Shares | undefined;
  readonly ask: Price | undefined;
  readonly askSize: Shares | undefined;
  readonly open: Price | undefined;
  readonly high: Price | undefined;
  readonly low: Price | undefined;
  readonly previousClose: Price | undefined;
  readonly volume: Shares | undefined;
  /** The day's volume-weighted average price; undefined without volume. */
  readonly averagePrice: Price | undefined;
}

/** Any object of a data channel. */
export type MarketEvent = Trade | Cancel | Correction | Quote | Bar | Status | Ticker;
