import { millis, type HistoryClient, type Millis, type StockSymbol } from "@tapecast/client";
import { SPARKLINE_POINTS, SPARKLINE_STEP_MS, type QuoteBoard, type TimeAndSales } from "../market";
import { BarHistory, SETTLE_MS } from "./bar-history";

/** Trades that fill an empty time and sales list, from the last hour. */
const FIRST_TRADES = 200;
const FIRST_TRADES_MS = 3_600_000;

/** Number of symbols whose sparkline bars fit into one page of the server. */
const SPARKLINES_PER_PAGE = 100;

/** Loads history and merges it with live data. */
export class HistoryLoader {
  private readonly history: HistoryClient;
  private readonly now: () => Millis;
  private readonly onChange: () => void;
  private tradesLoading: { readonly sales: TimeAndSales; isRepeated: boolean } | undefined;

  constructor(history: HistoryClient, now: () => Millis, onChange: () => void) {
    this.history = history;
    this.now = now;
    this.onChange = onChange;
  }

  /** The history of the bars of one chart. */
  barsOfChart(): BarHistory {
    return new BarHistory(this.history, this.now, this.onChange);
  }

  async loadSparklines(board: QuoteBoard, symbols: readonly StockSymbol[]): Promise<void> {
    const since = millis(this.now() - SPARKLINE_POINTS * SPARKLINE_STEP_MS);
    for (let at = 0; at < symbols.length; at += SPARKLINES_PER_PAGE) {
      const bars = await this.history.barsSince(symbols.slice(at, at + SPARKLINES_PER_PAGE), "5Sec", since);
      for (const [symbol, list] of bars) board.mergeHistory(symbol, list);
      this.onChange();
    }
  }

  /**
   * Loads the trades since the oldest gap or the newest row, or the last trades into an empty list; returns the number of
   * missing trades that were recovered. A call during a request repeats that request once instead of racing it.
   */
  async loadTrades(sales: TimeAndSales): Promise<number> {
    if (this.tradesLoading?.sales === sales) {
      this.tradesLoading.isRepeated = true;
      return 0;
    }
    const loading = { sales, isRepeated: false };
    this.tradesLoading = loading;
    const recovered = await this.loadTradesOnce(sales);
    if (this.tradesLoading !== loading) return recovered;
    const { isRepeated } = this.tradesLoading;
    this.tradesLoading = undefined;
    return isRepeated ? recovered + (await this.loadTrades(sales)) : recovered;
  }

  private async loadTradesOnce(sales: TimeAndSales): Promise<number> {
    const { historyStart } = sales;
    const start = historyStart ?? millis(this.now() - FIRST_TRADES_MS);
    const limit = historyStart === undefined ? FIRST_TRADES : undefined;
    const trades = await this.history.trades(sales.symbol, start, millis(this.now() + SETTLE_MS), limit);
    const { added, recovered } = sales.mergeHistory(trades ?? []);
    if (added > 0) this.onChange();
    return recovered;
  }
}
