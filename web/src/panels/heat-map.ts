import type { Mover } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { WholeMarketReport } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { visitFrom } from "./visit";
import { isStale, marketStatus } from "./whole-market";

const NOTHING: readonly Mover[] = [];

/** The whole market at a glance: a treemap by traded value, coloured by the day's change. */
export class HeatMapPanel implements view.Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly map: view.HeatMap;
  private readonly detail = view.make("p", "heat-detail");
  private readonly site: PanelSite;
  /** What a paused page shows. */
  private held: WholeMarketReport | undefined;

  constructor(site: PanelSite) {
    this.site = site;
    const { node, head } = view.panelSection("heat-panel", "heatMap");
    this.node = node;
    this.head = head;
    const actions = {
      select: (symbol: StockSymbol) => {
        visitFrom(this.node, symbol, site);
      },
      nameOf: site.instruments.nameOf,
      pointed: site.redraw.invalidateNow,
    };
    this.map = new view.HeatMap(actions, site.redraw.invalidateNow);
    this.node.append(this.map.node, view.make("div", "heat-foot", this.detail, view.heatLegend()));
    site.wholeMarket.onChange(site.redraw.invalidate);
    site.instruments.onChange(() => {
      this.map.namesChanged();
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
    const { wholeMarket, selected, now, instruments } = this.site;
    const report = this.held ?? wholeMarket.report;
    this.node.dataset["stale"] = String(isStale(report));
    this.map.draw(report?.summary?.largest ?? NOTHING, selected(), strings);
    const { pointed } = this.map;
    view.setText(this.detail, pointed === undefined ? marketStatus(report, now(), strings) : view.moverText(pointed, instruments.nameOf(pointed.symbol), strings));
  }

  focus(): void {
    this.map.focus();
  }
}
