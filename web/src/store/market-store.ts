import { millis, type Cancel, type Client, type Correction, type Gap, type MarketEvent, type Millis, type StockSymbol, type Streams } from "@tapecast/client";
import { FreshnessTracker, Meter, QuoteBoard, RateMeter, SPARKLINE_STEP_MS, SymbolBars, TimeAndSales, type IntervalSeconds, type Watchlists } from "../market";
import type { HistoryLoader } from "./history-loader";

/** The channels of every watched symbol: one object with everything a row shows, and halts. */
const WATCHLIST_CHANNELS = ["tickers", "statuses"] as const;

/** The further channels of the selected symbol, for its chart and its time and sales. */
const SELECTED_CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars"] as const;

/** Missing trades that history did not have are requested again after 1, 2, 4, 8 and 16 s. */
const REPAIR_MS = 1_000;
const MAX_REPAIRS = 5;

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
  private healedCount = 0;
  /** Requests for trades under way, when the last one began, and how often missing trades were requested again. */
  private requests = 0;
  private requestedAt = millis(0);
  private repairs = 0;
  /** The server's history is another than before: it restarted. */
  private isHistoryNew = false;

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
    void this.loadTrades();
    return true;
  }

  /** Missed objects that were recovered by REST. */
  get healed(): number {
    return this.healedCount;
  }

  apply(events: readonly MarketEvent[], receivedAt: Millis): void {
    const staleMs = this.freshness.event(receivedAt);
    if (staleMs > 0) this.resumed(staleMs, receivedAt);
    for (const event of events) {
      this.board.apply(event);
      this.bars?.apply(event);
      this.sales?.apply(event);
      if (event.channel === "cancelErrors" || event.channel === "corrections") this.revise(event);
      this.meter.count(event, receivedAt);
    }
  }

  /** Records a gap. Missing trades of the selected symbol are requested from history. */
  recordGap(gap: Gap): void {
    this.latestGap = gap;
    const missing = gap.to - gap.from + 1;
    this.freshness.miss(missing, this.now());
    if (gap.channel !== "trades" || gap.symbol !== this.sales?.symbol) return;
    this.sales.addGap(missing);
    this.bars?.markIncomplete();
    this.repairs = 0;
    void this.loadTrades();
  }

  /** Reloads history after a restart of the server, which may know the time in between. */
  reload(interval: IntervalSeconds): void {
    this.isHistoryNew = true;
    this.bars?.markIncomplete();
    this.loader.follow(this.bars, interval);
    void this.loadTrades();
  }

  /** Requests missing trades again that history did not have yet. To be called a few times per second. */
  tick(): void {
    if (this.sales === undefined || this.requests > 0 || this.repairs >= MAX_REPAIRS || this.sales.missing === 0) return;
    if (this.now() - this.requestedAt < REPAIR_MS * 2 ** this.repairs) return;
    this.repairs += 1;
    void this.loadTrades();
  }

  /** The first object after the feed was lost. */
  private resumed(staleMs: number, now: Millis): void {
    this.meter.interrupted(now);
    if (staleMs < SPARKLINE_STEP_MS && !this.isHistoryNew) return;
    this.isHistoryNew = false;
    this.board.interrupt();
    void this.loader.loadSparklines(this.board, this.watched);
  }

  private revise(event: Cancel | Correction): void {
    const revised = this.sales?.revise(event);
    if (revised !== undefined) this.board.revise(event.symbol, revised);
  }

  private async loadTrades(): Promise<void> {
    if (this.sales === undefined) return;
    this.requestedAt = this.now();
    this.requests += 1;
    const recovered = await this.loader.loadTrades(this.sales);
    this.requests -= 1;
    this.healedCount += recovered;
    this.freshness.recovered(recovered);
  }
}

function streamsOf(channels: readonly (keyof Streams)[], symbols: readonly StockSymbol[]): Streams {
  return Object.fromEntries(channels.map((channel) => [channel, symbols]));
}
