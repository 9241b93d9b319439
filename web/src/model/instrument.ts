import type { StockSymbol } from "./symbol";

/** A stock that can be watched. */
export interface Instrument {
  readonly symbol: StockSymbol;
  readonly name: string;
  readonly exchange: string;
}
