import type { IntervalSeconds } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { ChartFeed } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";
import { chartChoices } from "./chart-choices";
import { ChartLookControl } from "./chart-look";
import type { PanelSite } from "./host";

/** The chart whose interval is in the page's address and settings. The others keep their own. */
const MAIN = "chart";

/** The charts that are open, whose crosshairs are on one moment. */
const charts = new Set<view.Lazy<view.Chart>>();

/** A chart of prices, of the selected symbol or of one that is pinned, with its price above. */
export class ChartPanel implements view.Panel {
  readonly node = view.make("section", "panel chart-panel");
  readonly head: HTMLElement;
  private readonly box = view.make("div", "chart-box");
  private readonly pin = view.iconButton("panel-menu-button pin", "pinSymbol", view.icon("pin"));
  private readonly headline: view.Headline;
  private readonly intervals: view.IntervalPicker;
  private readonly look: ChartLookControl;
  private readonly site: PanelSite;
  private readonly feed: ChartFeed;
  private chart: view.Lazy<view.Chart> | undefined;
  private choice;
  private symbol: StockSymbol | undefined;
  private isOpen = false;

  constructor(site: PanelSite) {
    this.site = site;
    this.choice = chartChoices.load(site.id);
    this.feed = site.store.chart();
    this.intervals = new view.IntervalPicker(`interval-${site.id}`, (interval) => {
      this.setInterval(interval);
    });
    this.look = new ChartLookControl(site, {
      look: () => this.choice.look,
      choose: (look) => {
        this.choose({ look });
        this.showSeries();
      },
    });
    this.pin.addEventListener("click", () => {
      this.choose({ pinned: this.choice.pinned === undefined ? this.symbol : undefined });
      this.showSeries();
    });
    this.headline = new view.Headline(site.flashes, this.intervals.node, this.look.button, this.pin);
    this.head = this.headline.node;
    this.node.append(this.head, this.box, this.look.menu);
  }

  open(): void {
    this.isOpen = true;
    this.chart ??= this.load();
    charts.add(this.chart);
    this.showSeries();
  }

  close(): void {
    this.isOpen = false;
    if (this.chart !== undefined) charts.delete(this.chart);
    this.feed.close();
    this.look.close();
  }

  select(): void {
    this.showSeries();
  }

  translate(): void {
    this.showSeries();
  }

  restyle(): void {
    this.chart?.whenLoaded((chart) => {
      chart.updateColours();
    });
  }

  setUpdates(state: "paused" | "running"): void {
    this.chart?.whenLoaded((chart) => {
      chart.setUpdates(state);
    });
  }

  press(key: string): boolean {
    return this.intervals.press(key);
  }

  draw(strings: Strings): void {
    const { site: { store, instruments, isPaused }, symbol, headline } = this;
    const state = symbol === undefined ? undefined : store.board.get(symbol);
    if (symbol !== undefined) headline.setName(instruments.nameOf(symbol));
    if (state !== undefined && (!isPaused() || headline.isEmpty)) headline.draw(state, strings);
    this.look.draw(this.chart?.loaded, this.feed);
    this.chart?.loaded?.draw(strings, this.emptyText(strings), this.feed.isComplete ? "complete" : "partial");
  }

  /** Shows the bars of the symbol and the interval. */
  private showSeries(): void {
    if (!this.isOpen) return;
    const { strings, selected, instruments, redraw } = this.site;
    const [symbol, interval] = [this.choice.pinned ?? selected(), this.interval];
    const isOther = symbol !== this.feed.symbol || symbol === undefined;
    this.feed.show(symbol, interval);
    this.look.show(symbol, interval);
    if (isOther) this.headline.choose(symbol, symbol === undefined ? "" : instruments.nameOf(symbol));
    this.symbol = symbol;
    this.pin.ariaPressed = String(this.choice.pinned !== undefined);
    this.intervals.show(interval, strings());
    const label = strings().chartOf(symbol ?? "–", strings().interval(interval));
    this.chart?.whenLoaded((chart) => {
      chart.choose(this.feed.series, label);
      this.look.apply(chart, interval);
    });
    redraw.invalidateNow();
  }

  private get interval(): IntervalSeconds {
    const { id, chart } = this.site;
    return id === MAIN ? chart.interval() : (this.choice.interval ?? chart.interval());
  }

  private setInterval(interval: IntervalSeconds): void {
    if (this.site.id === MAIN) {
      this.site.chart.setInterval(interval);
      return;
    }
    this.choose({ interval });
    this.showSeries();
  }

  private choose(change: Partial<typeof this.choice>): void {
    this.choice = { ...this.choice, ...change };
    chartChoices.save(this.site.id, this.choice);
  }

  /** Loads the view after the first prices: it is large. */
  private load(): view.Lazy<view.Chart> {
    const { box, site } = this;
    const actions: view.ChartActions = {
      requestOlder: () => {
        this.feed.loadOlder();
      },
      invalidate: site.redraw.invalidateNow,
      pointed: (ms) => {
        for (const other of charts) {
          if (other !== chart) other.loaded?.pointAt(ms);
        }
      },
      alerts: site.alerts.linesOf(() => this.symbol),
    };
    const chart = new view.Lazy(site.firstPaint.then(view.loadChart).then((Chart) => new Chart(box, actions)), () => {
      site.notify(site.strings().notice.loadFailed, { kind: "error" });
    });
    chart.whenLoaded(site.redraw.invalidateNow);
    return chart;
  }

  /** Why the chart has no bar. */
  private emptyText({ nothingSelected, unknownSymbol, waitingForTrade }: Strings): string {
    if (this.symbol === undefined) return nothingSelected;
    if (this.site.store.board.get(this.symbol)?.isUnknown === true) return unknownSymbol;
    return this.site.client.isAcknowledged ? waitingForTrade : "";
  }
}
