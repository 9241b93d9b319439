import type { MarketEvent, Ohlc, Shares, StockSymbol, Ticker } from "@tapecast/client";
import { Sparkline } from "./sparkline";
import type { RevisedPrice } from "./time-and-sales";

/** The latest state of one symbol. */
export interface SymbolState {
  /** Undefined until the first ticker arrives. */
  ticker: Ticker | undefined;
  trading: "open" | "halted";
  /** The reason of a halt, in the venue's words. */
  reason: string;
  /** The server does not know the symbol. */
  isUnknown: boolean;
  readonly sparkline: Sparkline;
}

/** The latest state of every watched symbol, and the set of symbols that changed since they were last drawn. */
export class QuoteBoard {
  private readonly states = new Map<StockSymbol, SymbolState>();
  private readonly changed = new Set<StockSymbol>();
  private readonly revisions = new Map<StockSymbol, RevisedPrice & { readonly volume: Shares | undefined }>();

  watch(symbol: StockSymbol): void {
    if (this.states.has(symbol)) return;
    this.states.set(symbol, { ticker: undefined, trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() });
    this.changed.add(symbol);
  }

  unwatch(symbol: StockSymbol): void {
    this.states.delete(symbol);
    this.revisions.delete(symbol);
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
        state.ticker = this.revised(event);
        if (state.ticker.last !== undefined) state.sparkline.add(event.time, state.ticker.last);
        break;
      case "statuses":
        state.trading = event.trading;
        state.reason = event.reason;
        break;
      case "trades":
      case "cancelErrors":
      case "corrections":
      case "quotes":
      case "bars":
      case "updatedBars":
      case "dailyBars":
        return;
    }
    state.isUnknown = false;
    this.changed.add(event.symbol);
  }

  /** The server does not know these symbols. An object of theirs disproves it. */
  markUnknown(symbols: readonly string[]): void {
    for (const [symbol, state] of this.states) {
      if (!symbols.includes(symbol)) continue;
      state.isUnknown = true;
      this.changed.add(symbol);
    }
  }

  /**
   * A cancel or a correction changed the last price. The server's tickers repeat the trade as it was reported, so it is
   * replaced in them until the volume tells that there is another last trade.
   */
  revise(symbol: StockSymbol, { from, to }: RevisedPrice): void {
    const state = this.states.get(symbol);
    if (state?.ticker?.last !== from) return;
    this.revisions.set(symbol, { from, to, volume: state.ticker.volume });
    state.ticker = { ...state.ticker, last: to };
    this.changed.add(symbol);
  }

  /** Prices were missed: sparklines break here. */
  interrupt(): void {
    for (const { sparkline } of this.states.values()) sparkline.interrupt();
  }

  private revised(ticker: Ticker): Ticker {
    const revision = this.revisions.get(ticker.symbol);
    if (revision === undefined) return ticker;
    if (revision.from === ticker.last && revision.volume === ticker.volume) return { ...ticker, last: revision.to };
    this.revisions.delete(ticker.symbol);
    return ticker;
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
