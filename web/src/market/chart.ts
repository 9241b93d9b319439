import type { MarketEvent, StockSymbol } from "../model";
import { Series } from "./series";

/** The intervals a chart can show, in seconds. */
export const INTERVALS = [1, 5, 60] as const;

export type IntervalSeconds = (typeof INTERVALS)[number];

const MINUTE = 60;

/** The bars of every watched symbol in every interval, so that a change of either shows at once what was seen. */
export class Charts {
  private readonly bySymbol = new Map<StockSymbol, ReadonlyMap<IntervalSeconds, Series>>();

  watch(symbol: StockSymbol): void {
    if (this.bySymbol.has(symbol)) return;
    this.bySymbol.set(symbol, new Map(INTERVALS.map((seconds) => [seconds, new Series(seconds * 1000)])));
  }

  unwatch(symbol: StockSymbol): void {
    this.bySymbol.delete(symbol);
  }

  of(symbol: StockSymbol, interval: IntervalSeconds): Series | undefined {
    return this.bySymbol.get(symbol)?.get(interval);
  }

  /** Trades go into every interval; the server's own minute replaces ours, which may have begun in its middle. */
  apply(event: MarketEvent): void {
    const series = this.bySymbol.get(event.symbol);
    switch (event.channel) {
      case "trades":
        series?.forEach((bars) => {
          bars.fold(event);
        });
        break;
      case "bars":
      case "updatedBars":
        series?.get(MINUTE)?.put(event);
        break;
      case "quotes":
      case "dailyBars":
      case "statuses":
      case "tickers":
        break;
    }
  }
}
