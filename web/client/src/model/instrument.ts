import type { StockSymbol } from "./symbol";

/** A stock with its display name and listing exchange. */
export interface Instrument {
  readonly symbol: StockSymbol;
  readonly name: string;
  readonly exchange: string;
}
