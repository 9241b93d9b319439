import type { Client, Millis, StockSymbol } from "@tapecast/client";
import type { BarSeries, Freshness } from "../market";
import type { MarketStore } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";

/** The state that the dashboard shows. */
export interface DashboardSource {
  readonly client: Client;
  readonly store: MarketStore;
  readonly now: () => Millis;
  readonly strings: () => Strings;
}

/** User input that concerns more than the dashboard itself. */
export interface DashboardActions {
  readonly select: (symbol: StockSymbol) => void;
  readonly remove: (symbol: StockSymbol) => void;
  /** The serialised layout of the columns, and that the user moved, resized, hid or sorted them. */
  readonly columns: (mode: view.GridMode) => string | undefined;
  readonly columnsChanged: (mode: view.GridMode, columns: string) => void;
  /** The chart was scrolled near its first bar. */
  readonly requestOlder: () => void;
  readonly connect: () => void;
  readonly alertMark: view.GridActions["alertMark"];
  readonly alertLines: () => view.AlertLinesActions;
  /** The number of alerts that fired and were not seen. */
  readonly firedAlerts: () => number;
}

/** Minimum redraw interval of each part, in slots of 100 ms: slow enough to read, fast enough for a countdown in seconds. */
const SLOTS = { prices: 1, flashes: 1, sales: 1, sparklines: 1, marks: 1, chart: 2, stream: 3, tickerTape: 5 } as const;

/** The title shows a price that is at most this old. */
const TITLE_MS = 1_000;

/** The rest of the page loads after this delay even if no price has arrived. */
const FIRST_PRICE_MS = 400;

/** The live parts of the page and their redraw schedule. The watchlist loads first, the chart after the first prices. */
export class Dashboard {
  /** Resolves when the first prices are painted, or after a delay. Everything else is loaded then. */
  readonly firstPaint: Promise<void>;
  readonly grid: view.Lazy<view.Grid>;
  readonly chart: view.Lazy<view.Chart>;
  readonly notice: view.Notice;
  private readonly status: view.ConnectionStatus;
  private readonly source: DashboardSource;
  private readonly firedAlerts: () => number;
  readonly scheduler = new view.FrameScheduler();
  private readonly prices = this.scheduler.add(SLOTS.prices, () => {
    this.drawPrices();
  });
  private readonly fading = this.scheduler.add(SLOTS.flashes, () => {
    this.flashes.fade();
  });
  private readonly candles = this.scheduler.add(SLOTS.chart, () => {
    this.chart.loaded?.draw(this.source.strings(), this.emptyText());
  });
  private readonly trades = this.scheduler.add(SLOTS.sales, () => {
    this.sales.draw(this.source.strings());
  });
  private readonly streamFigures = this.scheduler.add(SLOTS.stream, () => {
    this.drawStream();
  });
  private readonly tapeFigures = this.scheduler.add(SLOTS.tickerTape, () => {
    if (this.pausedAt === undefined) this.tickerTape.draw((symbol) => this.source.store.board.get(symbol));
  });
  private readonly sparklineBatch = this.scheduler.add(SLOTS.sparklines, () => {
    if (this.pausedAt === undefined) this.sparklines.drawBatch();
  });
  /** Many alerts change at once when a connection begins. */
  private readonly marks = this.scheduler.add(SLOTS.marks, () => {
    this.grid.loaded?.drawAll();
  });
  private readonly flashes: view.Flashes;
  private readonly sparklines: view.SparklineQueue;
  private readonly headline: view.Headline;
  private readonly sales = new view.TimeAndSalesView(this.trades.invalidateNow);
  private readonly tickerTape = new view.TickerTape();
  private readonly stream = new view.StreamPanel();
  private rows: readonly view.GridRow[] = [];
  private selected: StockSymbol | undefined;
  /** When the page was paused. */
  private pausedAt: Millis | undefined;
  private isStale = false;
  private titleAt = Number.NEGATIVE_INFINITY;
  private hasPrices = false;
  private roundTrip: number | undefined;
  private onFirstPrices: () => void = () => undefined;

  constructor(source: DashboardSource, actions: DashboardActions) {
    this.source = source;
    this.firedAlerts = actions.firedAlerts;
    this.flashes = new view.Flashes(source.now, this.fading.invalidate);
    this.sparklines = new view.SparklineQueue(source.now, this.sparklineBatch.invalidate);
    this.headline = new view.Headline(this.flashes);
    this.status = new view.ConnectionStatus(actions.connect);
    this.notice = new view.Notice(source.strings);
    const onLoadError = () => {
      this.notice.show(source.strings().notice.loadFailed, { kind: "error" });
    };
    const { flashes, sparklines } = this;
    const gridActions = { ...actions, tapped: view.showHeadline, strings: source.strings, flashes, sparklines };
    this.grid = new view.Lazy(view.loadGrid().then((Grid) => new Grid(gridActions, this.rows)), onLoadError);
    this.grid.whenLoaded(() => {
      this.prices.invalidateNow();
    });
    this.firstPaint = new Promise((resolve) => {
      this.onFirstPrices = () => {
        // The prices are written in this frame and painted before the next one.
        requestAnimationFrame(() => {
          setTimeout(resolve);
        });
      };
      this.grid.whenLoaded(() => setTimeout(resolve, FIRST_PRICE_MS));
    });
    this.chart = new view.Lazy(
      this.firstPaint.then(view.loadChart).then((Chart) => new Chart(actions.requestOlder, this.candles.invalidateNow, actions.alertLines())),
      onLoadError,
    );
    this.chart.whenLoaded(this.candles.invalidateNow);
  }

  /** Market data changed: every part is redrawn at its own rate, and the title, because a hidden page's timers are slow. */
  readonly invalidate = (): void => {
    if (this.isStale || this.source.now() - this.titleAt > TITLE_MS) this.drawTitle();
    // The first new object: its price and its colour are drawn in one frame.
    if (this.isStale) this.invalidateNow();
    for (const part of [this.prices, this.candles, this.trades, this.tapeFigures]) part.invalidate();
  };

  /** The user acted: every part is redrawn in the next frame. */
  readonly invalidateNow = (): void => {
    for (const part of [this.prices, this.candles, this.trades, this.streamFigures, this.tapeFigures]) part.invalidateNow();
  };

  /** Time passed or the connection changed: ages, countdowns and rates are redrawn, and at once what is stale. */
  readonly tick = (): void => {
    if ((this.freshness().kind === "stale") !== this.isStale) this.streamFigures.invalidateNow();
    else this.streamFigures.invalidate();
    this.drawTitle();
  };

  /** Alerts were set, removed or fired: rows, the chart's lines and the title show it. */
  alertsChanged(): void {
    this.marks.invalidateNow();
    this.candles.invalidateNow();
    // A hidden page has no frames, and its title is read all the same.
    this.drawTitle();
  }

  /** Shows the symbols of a watchlist. */
  showList(symbols: readonly StockSymbol[], nameOf: (symbol: StockSymbol) => string): void {
    const { board } = this.source.store;
    this.rows = symbols.flatMap((symbol) => {
      const state = board.get(symbol);
      return state === undefined ? [] : [{ symbol, name: nameOf(symbol), state }];
    });
    this.grid.loaded?.show(this.rows);
    this.tickerTape.show(symbols);
    this.tapeFigures.invalidateNow();
  }

  setNames(nameOf: (symbol: StockSymbol) => string): void {
    for (const row of this.rows) row.name = nameOf(row.symbol);
    this.grid.loaded?.drawAll();
    if (this.selected !== undefined) this.headline.setName(nameOf(this.selected));
  }

  /** Selects the row. `showSymbol` updates headline and trades if the symbol is another one. */
  select(symbol: StockSymbol | undefined): void {
    this.selected = symbol;
    if (this.grid.loaded === undefined) this.grid.whenLoaded((grid) => { grid.select(this.selected); });
    else this.grid.loaded.select(symbol);
  }

  showSymbol(name: string): void {
    const { selected } = this;
    const { store, strings } = this.source;
    this.headline.choose(selected, name);
    const state = selected === undefined ? undefined : store.board.get(selected);
    if (state !== undefined) this.headline.draw(state, strings());
    this.sales.choose(store.sales);
  }

  showSeries(series: BarSeries | undefined, label: string): void {
    this.chart.whenLoaded((chart) => {
      chart.choose(series, label);
    });
    this.invalidateNow();
  }

  showTickerTape(shown: "shown" | "hidden"): void {
    this.tickerTape.setShown(shown);
  }

  /** Pauses or resumes all parts. A symbol or interval selected during a pause is still shown as it is then. */
  setUpdates(state: "paused" | "running"): void {
    // Without the flush, parts that were invalid would show an older moment for the whole pause.
    if (state === "paused") this.scheduler.flush();
    this.pausedAt = state === "paused" ? this.source.now() : undefined;
    this.drawTitle();
    this.chart.whenLoaded((chart) => {
      chart.setUpdates(state);
    });
    this.sales.setUpdates(state);
    this.sparklineBatch.invalidate();
    this.invalidateNow();
  }

  setRoundTrip(roundTrip: number): void {
    this.roundTrip = roundTrip;
  }

  private drawPrices(): void {
    const grid = this.grid.loaded;
    if (this.pausedAt !== undefined || grid === undefined) return;
    const { store, strings, now } = this.source;
    let hasPrice = false;
    for (const symbol of store.board.takeChanged()) {
      const state = store.board.get(symbol);
      if (state === undefined) continue;
      grid.draw(symbol);
      if (symbol === this.selected) this.headline.draw(state, strings());
      hasPrice ||= state.ticker !== undefined;
    }
    grid.keepSorted(now());
    if (hasPrice) this.pricesDrawn();
  }

  /** Sets a performance mark and starts loading the rest of the page, once. */
  private pricesDrawn(): void {
    if (this.hasPrices) return;
    this.hasPrices = true;
    performance.mark("first-price");
    this.onFirstPrices();
  }

  /** Why the chart has no bar. */
  private emptyText(): string {
    const { client, store, strings } = this.source;
    const { nothingSelected, unknownSymbol, waitingForTrade } = strings();
    if (this.selected === undefined) return nothingSelected;
    if (store.board.get(this.selected)?.isUnknown === true) return unknownSymbol;
    return client.isAcknowledged ? waitingForTrade : "";
  }

  private drawStream(): void {
    const { client, store, strings, now } = this.source;
    const [time, isLive] = [now(), client.state.phase === "live"];
    const reading = store.meter.read(time);
    const freshness = this.freshness();
    this.isStale = freshness.kind === "stale";
    this.status.drawState(client.state, freshness, time, strings());
    this.status.drawReading(reading, isLive ? this.roundTrip : undefined);
    this.status.drawGaps(client.counters.gaps, client.counters.missed - store.healed, store.latestGap, strings());
    this.stream.draw(client.counters, store.healed, store.rates.read(time, client.counters), reading);
  }

  /** The freshness of what arrives. */
  readonly feedFreshness = (): Freshness => {
    const { client, store, now } = this.source;
    return store.freshness.read(now(), { isLive: client.isAcknowledged, lastReceived: client.lastReceived });
  };

  /** The freshness of what is shown. A pause shows an older moment, even while the feed is live. */
  private freshness(): view.ShownFreshness {
    const freshness = this.feedFreshness();
    if (this.pausedAt === undefined) return freshness;
    const isStale = freshness.kind === "stale" && freshness.since < this.pausedAt;
    return isStale ? freshness : { kind: "paused", since: this.pausedAt };
  }

  /** Draws the tab's title, which is read while the page is hidden and has no frames. */
  private drawTitle(): void {
    const state = this.selected === undefined ? undefined : this.source.store.board.get(this.selected);
    if (this.selected === undefined || state === undefined) return;
    this.titleAt = this.source.now();
    const { kind } = this.freshness();
    this.headline.drawTitle(this.selected, state, kind === "stale" || kind === "paused" ? kind : "current", this.firedAlerts());
  }
}
