import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";

/** The candlestick chart of the selected symbol with its price above. */
export class ChartPanel implements view.Panel {
  readonly node = view.make("section", "panel chart-panel");
  readonly head: HTMLElement;
  private readonly box = view.make("div", "chart-box");
  private readonly headline: view.Headline;
  private readonly intervals: view.IntervalPicker;
  private readonly chart: view.Lazy<view.Chart>;
  private readonly site: PanelSite;
  private symbol: StockSymbol | undefined;

  constructor(site: PanelSite) {
    this.site = site;
    this.intervals = new view.IntervalPicker(`interval-${site.id}`, site.chart.setInterval);
    this.headline = new view.Headline(site.flashes, this.intervals.node);
    this.head = this.headline.node;
    this.node.dataset["label"] = "chart";
    this.node.append(this.head, this.box);
    const { box, redraw, alerts } = { box: this.box, ...site };
    this.chart = new view.Lazy(
      site.firstPaint.then(view.loadChart).then((Chart) => new Chart(box, site.chart.requestOlder, redraw.invalidateNow, alerts.lines)),
      () => {
        site.notify(site.strings().notice.loadFailed, { kind: "error" });
      },
    );
    this.chart.whenLoaded(redraw.invalidateNow);
  }

  open(): void {
    this.showSeries();
  }

  close(): void {
    // The store follows the selected symbol for other panels too.
  }

  select(symbol: StockSymbol | undefined): void {
    if (symbol !== this.symbol || symbol === undefined) {
      this.symbol = symbol;
      this.headline.choose(symbol, symbol === undefined ? "" : this.site.instruments.nameOf(symbol));
    }
    this.showSeries();
  }

  translate(): void {
    this.showSeries();
  }

  recolour(): void {
    this.chart.whenLoaded((chart) => {
      chart.updateColours();
    });
  }

  setUpdates(state: "paused" | "running"): void {
    this.chart.whenLoaded((chart) => {
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
    this.chart.loaded?.draw(strings, this.emptyText(strings));
  }

  /** Shows the bars of the symbol and the interval. */
  private showSeries(): void {
    const { store, strings, chart: { interval } } = this.site;
    const seconds = interval();
    const label = strings().chartOf(store.bars?.symbol ?? "–", strings().interval(seconds));
    this.intervals.show(seconds, strings());
    this.chart.whenLoaded((chart) => {
      chart.choose(store.bars?.get(seconds), label);
    });
    this.site.redraw.invalidateNow();
  }

  /** Why the chart has no bar. */
  private emptyText({ nothingSelected, unknownSymbol, waitingForTrade }: Strings): string {
    if (this.symbol === undefined) return nothingSelected;
    if (this.site.store.board.get(this.symbol)?.isUnknown === true) return unknownSymbol;
    return this.site.client.isAcknowledged ? waitingForTrade : "";
  }
}
