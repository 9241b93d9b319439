import type { Epoch, Millis, Price, Seq } from "./numbers";
import type { StockSymbol } from "./symbol";

/** When an alert fires: the last price, or its change since the previous close in percent, rises or falls to a level. */
export interface AlertCondition {
  readonly measure: "price" | "change";
  readonly direction: "rise" | "fall";
  readonly level: number;
}

/** A price alert. */
export interface Alert {
  /** The client's name for it, 1 to 64 characters. */
  readonly id: string;
  readonly symbol: StockSymbol;
  readonly condition: AlertCondition;
  /** Whether it ends when it has fired. Otherwise it fires again when the price comes back from the other side. */
  readonly once: boolean;
}

/** The number of a symbol's trade, in its epoch. */
export interface TradePosition {
  readonly epoch: Epoch;
  readonly seq: Seq;
}

/** A price alert fired. */
export interface AlertFire {
  readonly id: string;
  readonly symbol: StockSymbol;
  /** Price, number and time of the trade that crossed. */
  readonly price: Price;
  readonly seq: Seq;
  readonly time: Millis;
  /** How many earlier times it fired that were merged into this one. */
  readonly merged: number;
}
