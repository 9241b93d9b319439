import type { FullClient, Millis, StockSymbol } from "@tapecast/client";
import type { Freshness } from "../market";
import type { MarketStore } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";

/** The state that the dashboard shows. */
export interface DashboardSource {
  readonly client: FullClient;
  readonly store: MarketStore;
  readonly now: () => Millis;
  readonly strings: () => Strings;
  /** The number of alerts that fired and were not seen. */
  readonly firedAlerts: () => number;
  readonly connect: () => void;
}

/** What has a place of its own on the page redraws at these intervals, in slots of 100 ms. */
const SLOTS = { status: 3, flashes: 1, tickerTape: 5 } as const;

/** The title shows a price that is at most this old. */
const TITLE_MS = 1_000;

/** The rest of the page loads after this delay even if no price has arrived. */
const FIRST_PRICE_MS = 400;

/** What is redrawn with the market besides the top bar and the tab's title. */
export interface Redrawn {
  readonly invalidate: () => void;
  readonly invalidateNow: () => void;
  readonly setUpdates: (state: "paused" | "running") => void;
}

/** The live parts of the page apart from the panels: the top bar, the ticker tape, the title; and what is stale. */
export class Dashboard {
  /** Resolves when the first prices are painted, or after a delay. Everything else is loaded then. */
  readonly firstPaint: Promise<void>;
  readonly notice: view.Notice;
  readonly scheduler = new view.FrameScheduler();
  readonly flashes: view.Flashes;
  private readonly status: view.ConnectionStatus;
  private readonly source: DashboardSource;
  private readonly fading = this.scheduler.add(SLOTS.flashes, () => {
    this.flashes.fade();
  });
  private readonly statusFigures = this.scheduler.add(SLOTS.status, () => {
    this.drawStatus();
  });
  private readonly tapeFigures = this.scheduler.add(SLOTS.tickerTape, () => {
    if (this.pausedAt === undefined) this.tickerTape.draw((symbol) => this.source.store.board.get(symbol));
  });
  private readonly tickerTape = new view.TickerTape();
  private readonly title = new view.PageTitle();
  private panels: Redrawn | undefined;
  private selected: StockSymbol | undefined;
  /** When the page was paused. */
  private pausedAt: Millis | undefined;
  private isStale = false;
  private titleAt = Number.NEGATIVE_INFINITY;
  private hasPrices = false;
  private roundTrip: number | undefined;
  private onFirstPrices: () => void = () => undefined;

  constructor(source: DashboardSource) {
    this.source = source;
    this.flashes = new view.Flashes(source.now, this.fading.invalidate);
    this.status = new view.ConnectionStatus(source.connect);
    this.notice = new view.Notice(source.strings);
    this.firstPaint = new Promise((resolve) => {
      this.onFirstPrices = () => {
        // The prices are written in this frame and painted before the next one.
        requestAnimationFrame(() => {
          setTimeout(resolve);
        });
      };
      void view.loadGrid().finally(() => setTimeout(resolve, FIRST_PRICE_MS));
    });
  }

  /** The panels are drawn with the rest from now on. */
  setPanels(panels: Redrawn): void {
    this.panels = panels;
  }

  /** Market data changed: every part is redrawn at its own rate, and the title, because a hidden page's timers are slow. */
  readonly invalidate = (): void => {
    if (this.isStale || this.source.now() - this.titleAt > TITLE_MS) this.drawTitle();
    // The first new object: its price and its colour are drawn in one frame.
    if (this.isStale) this.invalidateNow();
    this.tapeFigures.invalidate();
    this.panels?.invalidate();
  };

  /** The user acted: every part is redrawn in the next frame. */
  readonly invalidateNow = (): void => {
    this.statusFigures.invalidateNow();
    this.tapeFigures.invalidateNow();
    this.panels?.invalidateNow();
  };

  /** Time passed or the connection changed: ages, countdowns and rates are redrawn, and at once what is stale. */
  readonly tick = (): void => {
    if ((this.freshness().kind === "stale") !== this.isStale) this.statusFigures.invalidateNow();
    else this.statusFigures.invalidate();
    this.panels?.invalidate();
    this.drawTitle();
  };

  /** Shows the symbols of a watchlist in the ticker tape. */
  showList(symbols: readonly StockSymbol[]): void {
    this.tickerTape.show(symbols);
    this.tapeFigures.invalidateNow();
  }

  select(symbol: StockSymbol | undefined): void {
    this.selected = symbol;
    this.drawTitle();
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
    this.panels?.setUpdates(state);
    this.invalidateNow();
  }

  readonly isPaused = (): boolean => this.pausedAt !== undefined;

  setRoundTrip(roundTrip: number): void {
    this.roundTrip = roundTrip;
  }

  /** Sets a performance mark and starts loading the rest of the page, once. */
  readonly firstPricesDrawn = (): void => {
    if (this.hasPrices) return;
    this.hasPrices = true;
    performance.mark("first-price");
    this.onFirstPrices();
  };

  /** The freshness of what arrives. */
  readonly feedFreshness = (): Freshness => {
    const { client, store, now } = this.source;
    return store.freshness.read(now(), { isLive: client.isAcknowledged, lastReceived: client.lastReceived });
  };

  /** The freshness of what is shown. A pause shows an older moment, even while the feed is live. */
  readonly freshness = (): view.ShownFreshness => {
    const freshness = this.feedFreshness();
    if (this.pausedAt === undefined) return freshness;
    const isStale = freshness.kind === "stale" && freshness.since < this.pausedAt;
    return isStale ? freshness : { kind: "paused", since: this.pausedAt };
  };

  /** Draws the tab's title, which is read while the page is hidden and has no frames. */
  readonly drawTitle = (): void => {
    const { selected, source } = this;
    this.titleAt = source.now();
    const last = selected === undefined ? undefined : source.store.board.get(selected)?.ticker?.last;
    const { kind } = this.freshness();
    this.title.draw(selected, last, kind === "stale" || kind === "paused" ? kind : "current", source.firedAlerts());
  };

  private drawStatus(): void {
    const { client, store, strings, now } = this.source;
    const [time, isLive] = [now(), client.state.phase === "live"];
    const freshness = this.freshness();
    this.isStale = freshness.kind === "stale";
    this.status.drawState(client.state, freshness, time, strings());
    this.status.drawReading(store.meter.read(time), isLive ? this.roundTrip : undefined);
    this.status.drawGaps(client.counters.gaps, client.counters.missed - store.healed, store.latestGap, strings());
  }
}
