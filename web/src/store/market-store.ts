import { CompactTickers, millis, type Cancel, type Client, type Correction, type Gap, type MarketEvent, type Millis, type StockSymbol, type Streams } from "@tapecast/client";
import { FreshnessTracker, Meter, QuoteBoard, RateMeter, SPARKLINE_STEP_MS, SymbolBars, TimeAndSales, type Watchlists } from "../market";
import { ChartFeed } from "./chart-feed";
import type { HistoryLoader } from "./history-loader";
import { StreamUses } from "./stream-uses";
import { TickerFieldUses } from "./ticker-field-uses";

/** The channels of every watched symbol: one object with everything a row shows, and halts. */
const WATCHLIST_CHANNELS = ["tickers", "statuses"] as const;

/** The channels of time and sales: trades, and quotes for the side of each. */
const SALES_CHANNELS = ["trades", "quotes"] as const;

/** The channels of a chart and of the price above it. */
const CHART_CHANNELS = ["trades", "bars", "updatedBars", "dailyBars", ...WATCHLIST_CHANNELS] as const;

/** The fields of tickers that the page shows of every watched symbol, wherever its panels are. */
const WATCHLIST_FIELDS = ["last", "previousClose"] as const;

/** The fields by which it is known that there is another last trade than the one that was cancelled or corrected. */
const SALES_FIELDS = ["last", "volume"] as const;

/** The fields of today's bar, and of the levels in a chart. */
const CHART_FIELDS = ["last", "open", "high", "low", "previousClose", "volume"] as const;

/** Missing trades that history did not have are requested again after 1, 2, 4, 8 and 16 s. */
const REPAIR_MS = 1_000;
const MAX_REPAIRS = 5;

/** The market state of the page. Keeps subscriptions in step with the watchlist and the selection, and applies events. */
export class MarketStore {
  readonly board = new QuoteBoard();
  readonly freshness = new FreshnessTracker();
  readonly meter = new Meter();
  readonly rates = new RateMeter();
  /** Every panel that shows streams of its own uses them here. */
  readonly streams: StreamUses;
  /** Every panel that shows fields of tickers uses them here. */
  readonly tickerFields: TickerFieldUses;
  /** The trades of the selected symbol, while they are shown. */
  sales: TimeAndSales | undefined;
  latestGap: Gap | undefined;
  private readonly loader: HistoryLoader;
  private readonly now: () => Millis;
  private watched: readonly StockSymbol[] = [];
  private releaseWatched: () => void = () => undefined;
  private releaseSales: () => void = () => undefined;
  private selected: StockSymbol | undefined;
  private areSalesShown = false;
  private readonly charts = new Set<ChartFeed>();
  /** The bars of each chart that is shown. Two charts of one symbol have their own, because a chart takes the changes. */
  private readonly bars = new Set<SymbolBars>();
  /** The trades of symbols that are looked at beside the selected one. */
  private readonly followed = new Set<TimeAndSales>();
  private healedCount = 0;
  /** Requests for trades under way, when the last one began, and how often missing trades were requested again. */
  private requests = 0;
  private requestedAt = millis(0);
  private repairs = 0;
  /** The server's history is another than before: it restarted. */
  private isHistoryNew = false;

  constructor(client: Client, loader: HistoryLoader, now: () => Millis) {
    this.loader = loader;
    this.now = now;
    this.streams = new StreamUses(client);
    this.tickerFields = new TickerFieldUses(new CompactTickers(client, { fields: [] }));
    this.tickerFields.use(WATCHLIST_FIELDS);
  }

  /** Follows the symbols of the current watchlist, and the one that is looked at beside it. */
  watch({ symbols, visited }: Pick<Watchlists, "symbols" | "visited">): void {
    const wanted = visited === undefined ? [...symbols] : [...symbols, visited];
    const [before, after] = [new Set(this.watched), new Set(wanted)];
    const removed = this.watched.filter((symbol) => !after.has(symbol));
    const added = wanted.filter((symbol) => !before.has(symbol));
    this.watched = wanted;
    for (const symbol of removed) this.unwatch(symbol);
    for (const symbol of added) this.board.watch(symbol);
    const release = this.releaseWatched;
    this.releaseWatched = this.streams.use(streamsOf(WATCHLIST_CHANNELS, wanted));
    release();
    void this.loader.loadSparklines(this.board, added);
  }

  /** Selects the symbol of time and sales. */
  select(symbol: StockSymbol | undefined): void {
    if (symbol === this.selected && symbol !== undefined) return;
    this.selected = symbol;
    this.followSales();
  }

  /** Follows the trades of the selected symbol while they are shown. */
  showSales(shown: "shown" | "hidden"): void {
    this.areSalesShown = shown === "shown";
    this.followSales();
  }

  /** Follows the trades of a symbol beside time and sales, until it is released. */
  followTrades(symbol: StockSymbol): { readonly trades: TimeAndSales; readonly release: () => void } {
    if (symbol === this.sales?.symbol) return { trades: this.sales, release: () => undefined };
    const trades = new TimeAndSales(symbol);
    // Only the first use of a stream gets the last trade as a snapshot.
    const hasSnapshot = !this.streams.isUsed("trades", symbol);
    const release = this.streams.use({ trades: [symbol] });
    this.followed.add(trades);
    if (!hasSnapshot) void this.loader.loadTrades(trades);
    return {
      trades,
      release: () => {
        release();
        this.followed.delete(trades);
      },
    };
  }

  /** A feed of bars for a chart, which shows nothing yet. */
  chart(): ChartFeed {
    const feed = new ChartFeed({ follow: (symbol) => this.followBars(symbol), history: this.loader.barsOfChart() });
    this.charts.add(feed);
    return feed;
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
      for (const bars of this.bars) bars.apply(event);
      this.sales?.apply(event);
      for (const trades of this.followed) trades.apply(event);
      if (event.channel === "cancelErrors" || event.channel === "corrections") this.revise(event);
      this.meter.count(event, receivedAt);
    }
  }

  /** Records a gap. Missing trades of the selected symbol are requested from history. */
  recordGap(gap: Gap): void {
    this.latestGap = gap;
    const missing = gap.to - gap.from + 1;
    this.freshness.miss(missing, this.now());
    if (gap.channel !== "trades") return;
    for (const chart of this.charts) chart.markIncomplete(gap.symbol);
    if (gap.symbol !== this.sales?.symbol) return;
    this.sales.addGap(missing);
    this.repairs = 0;
    void this.loadTrades();
  }

  /** Reloads history after a restart of the server, which may know the time in between. */
  reload(): void {
    this.isHistoryNew = true;
    for (const chart of this.charts) {
      chart.markIncomplete();
      chart.reload();
    }
    void this.loadTrades();
  }

  /** Requests bars and missing trades that history did not have yet. To be called a few times per second. */
  tick(): void {
    for (const chart of this.charts) chart.tick();
    if (this.sales === undefined || this.requests > 0 || this.repairs >= MAX_REPAIRS || this.sales.missing === 0) return;
    if (this.now() - this.requestedAt < REPAIR_MS * 2 ** this.repairs) return;
    this.repairs += 1;
    void this.loadTrades();
  }

  private followSales(): void {
    const symbol = this.areSalesShown ? this.selected : undefined;
    if (symbol === this.sales?.symbol) return;
    const release = this.releaseSales;
    this.releaseSales = symbol === undefined ? () => undefined : both(this.tickerFields.use(SALES_FIELDS), this.streams.use(streamsOf(SALES_CHANNELS, [symbol])));
    release();
    this.sales = symbol === undefined ? undefined : new TimeAndSales(symbol);
    this.repairs = 0;
    void this.loadTrades();
  }

  /** The bars of a symbol for a chart. */
  private followBars(symbol: StockSymbol): { readonly bars: SymbolBars; readonly release: () => void } {
    const bars = new SymbolBars(symbol);
    this.bars.add(bars);
    this.board.watch(symbol);
    const release = both(this.tickerFields.use(CHART_FIELDS), this.streams.use(streamsOf(CHART_CHANNELS, [symbol])));
    return {
      bars,
      release: () => {
        release();
        this.bars.delete(bars);
        this.unwatch(symbol);
      },
    };
  }

  /** Forgets the prices of a symbol that neither the watchlist nor a chart shows. */
  private unwatch(symbol: StockSymbol): void {
    const isShown = this.watched.includes(symbol) || [...this.bars].some((bars) => bars.symbol === symbol);
    if (!isShown) this.board.unwatch(symbol);
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
    for (const trades of this.followed) trades.revise(event);
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

const both = (first: () => void, second: () => void) => () => {
  first();
  second();
};

function streamsOf(channels: readonly (keyof Streams)[], symbols: readonly StockSymbol[]): Streams {
  return Object.fromEntries(channels.map((channel) => [channel, symbols]));
}
