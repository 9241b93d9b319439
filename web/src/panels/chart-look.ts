import { DAY_MS, MAX_BARS, MAX_COMPARED, missesSessionStart, obstacleOf, type BarSeries, type ChartLook, type IntervalSeconds } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { ComparedFeeds, type ChartFeed } from "../store";
import * as view from "../view";
import type { PanelSite } from "./host";

/** Search results in the menu. */
const MAX_HITS = 6;

export interface ChartLookActions {
  readonly look: () => ChartLook;
  /** The user chose another look: it is stored, and shown by `show` and `apply`. */
  readonly choose: (look: ChartLook) => void;
}

/** What one chart shows besides its prices: the user's choice by a menu, and the bars of the symbols that are compared. */
export class ChartLookControl {
  readonly button: HTMLElement;
  readonly menu: HTMLElement;
  private readonly site: PanelSite;
  private readonly look: () => ChartLook;
  private readonly feeds: ComparedFeeds;
  private symbol: StockSymbol | undefined;
  private intervalMs = 0;
  /** The symbol whose prices of the day are drawn. */
  private levelsOf: StockSymbol | undefined;
  private applied: view.ShownLook | undefined;

  constructor(site: PanelSite, { look, choose }: ChartLookActions) {
    this.site = site;
    this.look = look;
    this.feeds = new ComparedFeeds(() => site.store.chart());
    const { button, menu } = view.makeChartMenu(site.id, {
      look,
      change: (change) => {
        choose({ ...look(), ...change });
      },
      obstacleOf: (study) => obstacleOf(study, this.intervalMs, this.feeds.compared.length > 0),
      find: (typed) => site.instruments.find(typed, MAX_HITS),
      onInstruments: (listener) => {
        site.instruments.onChange(listener);
      },
      strings: site.strings,
    });
    this.button = button;
    this.menu = menu;
  }

  /** Follows the symbols that are compared with this one. */
  show(symbol: StockSymbol | undefined, interval: IntervalSeconds): void {
    this.symbol = symbol;
    this.intervalMs = interval * 1_000;
    const others = symbol === undefined ? [] : this.look().compared.filter((other) => other !== symbol);
    this.feeds.show(others, interval);
  }

  /** Shows the look and the symbols on the chart. */
  apply(chart: view.Chart, interval: IntervalSeconds): void {
    const { symbol } = this;
    const look = this.look();
    const compared = this.feeds.compared.map((one) => ({ ...one, line: lineOf(look, one.symbol) }));
    const shown = { look, symbol, compared, intervalMs: interval * 1_000 };
    // A chart that is drawn anew shows bars that arrived during a pause.
    if (this.applied !== undefined && isSame(this.applied, shown)) return;
    this.applied = shown;
    chart.setLook(shown);
  }

  /** To be called before the chart is drawn. */
  draw(chart: view.Chart | undefined, feed: ChartFeed): void {
    const { symbol, site } = this;
    this.feeds.loadUntil(feed.series?.oldest);
    if (this.look().studies.includes("vwap") && needsOlder(feed.series)) feed.loadOlder();
    if (symbol === undefined || chart === undefined || (site.isPaused() && symbol === this.levelsOf)) return;
    const { previousClose, high, low } = site.store.board.get(symbol)?.ticker ?? {};
    chart.setLevels({ previousClose, high, low });
    this.levelsOf = symbol;
  }

  close(): void {
    this.feeds.show([], 1);
  }
}

/** A symbol keeps its line while others are added and removed before the chart's own. */
const lineOf = ({ compared }: ChartLook, symbol: StockSymbol): view.LineNumber => (Math.min(compared.indexOf(symbol), MAX_COMPARED - 1) as view.LineNumber);

/** Whether bars since the start of the newest bar's session are missing, of which its average is made. */
function needsOlder(series: BarSeries | undefined): boolean {
  const newest = series?.all.at(-1);
  if (series === undefined || newest === undefined || series.intervalMs >= DAY_MS || series.all.length >= MAX_BARS) return false;
  return missesSessionStart(series.all, newest.time, view.exchangeHours) !== undefined;
}

const isSame = (one: view.ShownLook, other: view.ShownLook): boolean =>
  one.look === other.look &&
  one.symbol === other.symbol &&
  one.intervalMs === other.intervalMs &&
  one.compared.length === other.compared.length &&
  one.compared.every(({ series }, at) => series === other.compared[at]?.series);
