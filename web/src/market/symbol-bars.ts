import type { MarketEvent, Millis, Ohlc, StockSymbol, Ticker } from "@tapecast/client";
import { BarSeries, DAY_MS } from "./bar-series";

/** The bar lengths that the chart offers, in seconds. */
export const INTERVALS = [1, 5, 60, 300, 900, 3_600, 86_400] as const;

export type IntervalSeconds = (typeof INTERVALS)[number];

const MINUTE = 60;
const DAY = 86_400;

/** The bars of one symbol in every interval, so that switching the interval shows live bars at once. */
export class SymbolBars {
  readonly symbol: StockSymbol;
  private readonly series = new Map<IntervalSeconds, BarSeries>(INTERVALS.map((seconds) => [seconds, new BarSeries(seconds * 1000)]));

  constructor(symbol: StockSymbol) {
    this.symbol = symbol;
  }

  get(interval: IntervalSeconds): BarSeries | undefined {
    return this.series.get(interval);
  }

  /** Trades were lost: history has to replace the bars built from them. */
  markIncomplete(): void {
    for (const series of this.series.values()) series.markIncomplete();
  }

  /** Adds trades to every interval except the day. Minute and daily bars of the server replace ours. */
  apply(event: MarketEvent): void {
    if (event.symbol !== this.symbol) return;
    switch (event.channel) {
      case "trades":
        // History already contains the trade of a snapshot.
        if (event.origin === "snapshot") break;
        for (const series of this.series.values()) {
          if (series.intervalMs >= DAY_MS) continue;
          series.markLive(event.time);
          series.addTrade(event);
        }
        break;
      case "bars":
      case "updatedBars":
        this.get(MINUTE)?.putBar(event);
        break;
      case "dailyBars":
        this.get(DAY)?.putBar(event);
        break;
      case "tickers":
        this.updateDay(event);
        break;
      // The server's bars do not change with cancels and corrections either (docs/PROTOCOL.md), so the chart is the same after a reload.
      case "cancelErrors":
      case "corrections":
      case "quotes":
      case "statuses":
        break;
    }
  }

  mergeHistory(interval: IntervalSeconds, history: readonly Ohlc[], finalUntil: Millis): void {
    this.get(interval)?.mergeHistory(history, finalUntil);
  }

  /** Updates today's bar from the ticker, which lacks the start of the day: the bar must exist and have the same open. */
  private updateDay({ open, high, low, last, volume }: Ticker): void {
    const series = this.get(DAY);
    const today = series?.all.at(-1);
    if (high === undefined || low === undefined || last === undefined || volume === undefined) return;
    if (series !== undefined && today !== undefined && today.open === open) series.putBar({ time: today.time, open: today.open, high, low, close: last, volume });
  }
}
