import type { Client, Gap, StreamSelection } from "../client";
import { FreshnessTracker, Meter, QuoteBoard, RateMeter, SymbolBars, TimeAndSales, type IntervalSeconds, type Watchlists } from "../market";
import type { MarketEvent, Millis, StockSymbol } from "../model";
import type { HistoryLoader } from "./history-loader";

/** The channels of every watched symbol: one object with everything a row shows, and halts. */
const WATCHLIST_CHANNELS = ["tickers", "statuses"] as const;

/** The further channels of the selected symbol, for its chart and its time and sales. */
const SELECTED_CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars"] as const;

/** The market state of the page. Keeps subscriptions in step with the watchlist and the selection, and applies events. */
export class MarketStore {
  readonly board = new QuoteBoard();
  readonly freshness = new FreshnessTracker();
  readonly meter = new Meter();
  readonly rates = new RateMeter();
  bars: SymbolBars | undefined;
  sales: TimeAndSales | undefined;
  latestGap: Gap | undefined;
  private readonly client: Client;
  private readonly loader: HistoryLoader;
  private readonly now: () => Millis;
  private watched: readonly StockSymbol[] = [];

  constructor(client: Client, loader: HistoryLoader, now: () => Millis) {
    this.client = client;
    this.loader = loader;
    this.now = now;
  }

  /** Subscribes to the added symbols of the current watchlist and unsubscribes from the removed ones. */
  watch({ symbols }: Watchlists): void {
    const [before, after] = [new Set(this.watched), new Set(symbols)];
    const removed = this.watched.filter((symbol) => !after.has(symbol));
    const added = symbols.filter((symbol) => !before.has(symbol));
    for (const symbol of removed) this.board.unwatch(symbol);
    for (const symbol of added) this.board.watch(symbol);
    this.client.unsubscribe(streamsOf(WATCHLIST_CHANNELS, removed));
    this.client.subscribe(streamsOf(WATCHLIST_CHANNELS, added));
    this.watched = [...symbols];
    void this.loader.loadSparklines(this.board, added);
  }

  /** Selects the symbol of the chart and of time and sales; false if it is selected already. */
  select(symbol: StockSymbol | undefined, interval: IntervalSeconds): boolean {
    if (symbol === this.bars?.symbol && symbol !== undefined) return false;
    if (this.bars !== undefined) this.client.unsubscribe(streamsOf(SELECTED_CHANNELS, [this.bars.symbol]));
    this.bars = symbol === undefined ? undefined : new SymbolBars(symbol);
    this.sales = symbol === undefined ? undefined : new TimeAndSales(symbol);
    if (symbol !== undefined) this.client.subscribe(streamsOf(SELECTED_CHANNELS, [symbol]));
    this.loader.follow(this.bars, interval);
    if (this.sales !== undefined) void this.loader.loadTrades(this.sales);
    return true;
  }

  apply(events: readonly MarketEvent[], receivedAt: Millis): void {
    this.freshness.event(receivedAt);
    for (const event of events) {
      this.board.apply(event);
      this.bars?.apply(event);
      this.sales?.apply(event);
      this.meter.count(event, receivedAt);
    }
  }

  /** Records a gap. Missing trades of the selected symbol are requested from history. */
  recordGap(gap: Gap): void {
    this.latestGap = gap;
    this.freshness.miss(gap.to - gap.from + 1, this.now());
    if (gap.channel !== "trades" || gap.symbol !== this.sales?.symbol) return;
    const { sales } = this;
    const request = this.loader.loadTrades(sales);
    sales.addGap(gap.to - gap.from + 1);
    this.bars?.markIncomplete();
    void request.then((recovered) => {
      if (recovered > 0) this.freshness.recovered();
    });
  }

  /** Reloads history after a restart of the server, which may know the time in between. */
  reload(interval: IntervalSeconds): void {
    this.bars?.markIncomplete();
    this.loader.follow(this.bars, interval);
    void this.loader.loadSparklines(this.board, this.watched);
    if (this.sales !== undefined) void this.loader.loadTrades(this.sales);
  }
}

function streamsOf(channels: readonly (keyof StreamSelection)[], symbols: readonly StockSymbol[]): StreamSelection {
  return Object.fromEntries(channels.map((channel) => [channel, symbols]));
}
