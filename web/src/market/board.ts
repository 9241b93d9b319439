import type { MarketEvent, Ohlc, StockSymbol, Ticker } from "../model";
import { Spark } from "./spark";

/** What the board shows of one symbol. Undefined means: not heard yet. */
export interface Figures {
  ticker: Ticker | undefined;
  trading: "open" | "halted";
  /** Why trading is halted, in the venue's words. */
  reason: string;
  readonly spark: Spark;
}

/** The newest figures of every watched symbol, and which of them changed since they were last drawn. */
export class Board {
  private readonly figures = new Map<StockSymbol, Figures>();
  private readonly changed = new Set<StockSymbol>();

  watch(symbol: StockSymbol): void {
    if (this.figures.has(symbol)) return;
    this.figures.set(symbol, { ticker: undefined, trading: "open", reason: "", spark: new Spark() });
    this.changed.add(symbol);
  }

  unwatch(symbol: StockSymbol): void {
    this.figures.delete(symbol);
    this.changed.delete(symbol);
  }

  of(symbol: StockSymbol): Readonly<Figures> | undefined {
    return this.figures.get(symbol);
  }

  /** Takes note of an event; one of a symbol that is no longer watched is late and means nothing. */
  apply(event: MarketEvent): void {
    const figures = this.figures.get(event.symbol);
    if (figures === undefined) return;
    switch (event.channel) {
      case "tickers":
        figures.ticker = event;
        figures.spark.add(event.time, event.last);
        break;
      case "statuses":
        figures.trading = event.trading;
        figures.reason = event.reason;
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

  /** What the last minutes were like before the page was opened. */
  remember(symbol: StockSymbol, bars: readonly Ohlc[]): void {
    const figures = this.figures.get(symbol);
    if (figures === undefined) return;
    figures.spark.remember(bars);
    this.changed.add(symbol);
  }

  /** The symbols that changed since the last call. */
  takeChanged(): readonly StockSymbol[] {
    const changed = [...this.changed];
    this.changed.clear();
    return changed;
  }
}
