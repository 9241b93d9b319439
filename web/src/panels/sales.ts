import type { Strings } from "../strings";
import { TimeAndSalesView, type Panel } from "../view";
import type { PanelSite } from "./host";

/** The trades of the selected symbol. */
export class SalesPanel implements Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly view: TimeAndSalesView;
  private readonly site: PanelSite;

  constructor(site: PanelSite) {
    this.site = site;
    this.view = new TimeAndSalesView(site.redraw.invalidateNow);
    this.node = this.view.node;
    this.head = this.view.head;
  }

  open(): void {
    this.site.store.showSales("shown");
    this.view.choose(this.site.store.sales);
  }

  close(): void {
    this.site.store.showSales("hidden");
  }

  select(): void {
    const { sales } = this.site.store;
    if (sales !== this.view.shown) this.view.choose(sales);
  }

  setUpdates(state: "paused" | "running"): void {
    this.view.setUpdates(state);
  }

  draw(strings: Strings): void {
    this.view.draw(strings);
  }
}
