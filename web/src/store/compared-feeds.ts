import { MAX_BARS, type BarSeries, type IntervalSeconds } from "../market";
import type { Millis, StockSymbol } from "@tapecast/client";
import type { ChartFeed } from "./chart-feed";

/** A symbol that a chart compares with its own, and its bars. */
export interface Compared {
  readonly symbol: StockSymbol;
  readonly series: BarSeries;
}

/** The bars of the symbols that one chart compares with its own: live and from history, of the chart's interval. */
export class ComparedFeeds {
  private readonly makeFeed: () => ChartFeed;
  private symbols: readonly StockSymbol[] = [];
  private readonly feeds = new Map<StockSymbol, ChartFeed>();
  /** Feeds that show nothing, to be used again: the store keeps every feed that it made. */
  private readonly idle: ChartFeed[] = [];

  constructor(makeFeed: () => ChartFeed) {
    this.makeFeed = makeFeed;
  }

  get compared(): readonly Compared[] {
    return this.symbols.flatMap((symbol) => {
      const series = this.feeds.get(symbol)?.series;
      return series === undefined ? [] : [{ symbol, series }];
    });
  }

  /** Shows the bars of these symbols and of no others. */
  show(symbols: readonly StockSymbol[], interval: IntervalSeconds): void {
    this.symbols = symbols;
    for (const [symbol, feed] of this.feeds) {
      if (symbols.includes(symbol)) continue;
      feed.close();
      this.feeds.delete(symbol);
      this.idle.push(feed);
    }
    for (const symbol of symbols) {
      const feed = this.feeds.get(symbol) ?? this.idle.pop() ?? this.makeFeed();
      this.feeds.set(symbol, feed);
      feed.show(symbol, interval);
    }
  }

  /** Loads older bars where the chart's own go further back. To be called when it is drawn. */
  loadUntil(oldest: Millis | undefined): void {
    if (oldest === undefined) return;
    for (const feed of this.feeds.values()) {
      const { series } = feed;
      if (series?.oldest !== undefined && series.oldest > oldest && series.all.length < MAX_BARS) feed.loadOlder();
    }
  }
}
