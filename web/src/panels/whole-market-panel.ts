import type { StockSymbol } from "@tapecast/client";
import type { WholeMarketReport } from "../store";
import type { PageText, Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { visitFrom } from "./visit";
import { isStale } from "./whole-market";

/** A part of the page that shows the symbols of the whole market. */
export interface WholeMarketView {
  /** Names of symbols are known now that were not before. */
  namesChanged(): void;
  focus(): void;
}

/** A panel of the whole market: follows the market while it is open, and holds its picture while the page is paused. */
export abstract class WholeMarketPanel<View extends WholeMarketView> implements view.Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  protected readonly site: PanelSite;
  protected readonly view: View;
  /** What a paused page shows. */
  private held: WholeMarketReport | undefined;

  /** `makeView` gets what a click on a symbol does. */
  constructor(site: PanelSite, className: string, title: PageText, makeView: (select: (symbol: StockSymbol) => void) => View) {
    this.site = site;
    const { node, head } = view.panelSection(className, title);
    this.node = node;
    this.head = head;
    this.view = makeView((symbol) => {
      visitFrom(node, symbol, site);
    });
    site.wholeMarket.onChange(site.redraw.invalidate);
    site.instruments.onChange(() => {
      this.view.namesChanged();
      site.redraw.invalidate();
    });
  }

  open(): void {
    this.site.wholeMarket.follow(this.site.id);
  }

  close(): void {
    this.site.wholeMarket.leave(this.site.id);
  }

  select(): void {
    this.site.redraw.invalidateNow();
  }

  setUpdates(state: "paused" | "running"): void {
    this.held = state === "paused" ? this.site.wholeMarket.report : undefined;
  }

  draw(strings: Strings): void {
    const report = this.held ?? this.site.wholeMarket.report;
    this.node.dataset["stale"] = String(isStale(report));
    this.drawReport(report, strings);
  }

  focus(): void {
    this.view.focus();
  }

  protected abstract drawReport(report: WholeMarketReport | undefined, strings: Strings): void;
}
