import type { MarketEvent, Ohlc, StockSymbol, Ticker } from "../model";
import { Sparkline } from "./sparkline";

/** The latest state of one symbol. */
export interface SymbolState {
  /** Undefined until the first ticker arrives. */
  ticker: Ticker | undefined;
  trading: "open" | "halted";
  /** The reason of a halt, in the venue's words. */
  reason: string;
  readonly sparkline: Sparkline;
}

/** The latest state of every watched symbol, and the set of symbols that changed since they were last drawn. */
export class QuoteBoard {
  private readonly states = new Map<StockSymbol, SymbolState>();
  private readonly changed = new Set<StockSymbol>();

  watch(symbol: StockSymbol): void {
    if (this.states.has(symbol)) return;
    this.states.set(symbol, { ticker: undefined, trading: "open", reason: "", sparkline: new Sparkline() });
    this.changed.add(symbol);
  }

  unwatch(symbol: StockSymbol): void {
    this.states.delete(symbol);
    this.changed.delete(symbol);
  }

  get(symbol: StockSymbol): Readonly<SymbolState> | undefined {
    return this.states.get(symbol);
  }

  /** Applies an event. A late event of a symbol that is no longer watched is ignored. */
  apply(event: MarketEvent): void {
    const state = this.states.get(event.symbol);
    if (state === undefined) return;
    switch (event.channel) {
      case "tickers":
        state.ticker = event;
        state.sparkline.add(event.time, event.last);
        break;
      case "statuses":
        state.trading = event.trading;
        state.reason = event.reason;
        break;
      case "trades":
      case "quotes":
      case "bars":
      case "updatedBars":
      case "dailyBars":
        return;
    }
    this.changed.add(event.symbol);
  }

  /** Adds historical bars to a symbol's sparkline. */
  mergeHistory(symbol: StockSymbol, bars: readonly Ohlc[]): void {
    const state = this.states.get(symbol);
    if (state === undefined) return;
    state.sparkline.mergeHistory(bars);
    this.changed.add(symbol);
  }

  /** Returns and clears the set of changed symbols. */
  takeChanged(): readonly StockSymbol[] {
    const changed = [...this.changed];
    this.changed.clear();
    return changed;
  }
}
