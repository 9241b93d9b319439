import type { MarketEvent, Millis, Ohlc, StockSymbol, Ticker } from "../model";
import { DAY_MS, Series } from "./series";

/** The intervals a chart can show, in seconds. */
export const INTERVALS = [1, 5, 60, 300, 86_400] as const;

export type IntervalSeconds = (typeof INTERVALS)[number];

const MINUTE = 60;
const DAY = 86_400;

/** The bars of the selected symbol in every interval, so that a change of interval shows at once what was seen. */
export class Charts {
  readonly symbol: StockSymbol;
  private readonly series = new Map<IntervalSeconds, Series>(INTERVALS.map((seconds) => [seconds, new Series(seconds * 1000)]));

  constructor(symbol: StockSymbol) {
    this.symbol = symbol;
  }

  of(interval: IntervalSeconds): Series | undefined {
    return this.series.get(interval);
  }

  /** Trades are missing: history must fill in again. */
  broken(): void {
    for (const series of this.series.values()) series.broken();
  }

  /** Trades go into every interval but the day; the server's own minutes and days replace ours. */
  apply(event: MarketEvent): void {
    if (event.symbol !== this.symbol) return;
    switch (event.channel) {
      case "trades":
        // A snapshot is in the bars of history already.
        if (event.origin === "snapshot") break;
        for (const series of this.series.values()) {
          if (series.intervalMs >= DAY_MS) continue;
          series.live(event.time);
          series.fold(event);
        }
        break;
      case "bars":
      case "updatedBars":
        this.of(MINUTE)?.put(event);
        break;
      case "dailyBars":
        this.of(DAY)?.put(event);
        break;
      case "tickers":
        this.followDay(event);
        break;
      case "quotes":
      case "statuses":
        break;
    }
  }

  remember(interval: IntervalSeconds, history: readonly Ohlc[], finalUntil: Millis): void {
    this.of(interval)?.remember(history, finalUntil);
  }

  /** The ticker has the day's figures, only not when the day began: that its bar knows. */
  private followDay({ open, high, low, last, volume }: Ticker): void {
    const series = this.of(DAY);
    const today = series?.all.at(-1);
    if (series !== undefined && today?.open === open) series.put({ time: today.time, open, high, low, close: last, volume });
  }
}
