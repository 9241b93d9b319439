import type { Mover } from "../market";
import type { WholeMarketReport } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { visitFrom } from "./visit";
import { isStale, marketStatus } from "./whole-market";

const NOTHING: readonly Mover[] = [];

/** The symbols of the whole market that moved most, were traded most, or are halted. */
export class MoversPanel implements view.Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly view: view.MoversView;
  private readonly status = view.make("p", "movers-status");
  private readonly site: PanelSite;
  /** What a paused page shows. */
  private held: WholeMarketReport | undefined;

  constructor(site: PanelSite) {
    this.site = site;
    const { node, head } = view.panelSection("movers-panel", "movers");
    this.node = node;
    this.head = head;
    this.view = new view.MoversView(`movers-${site.id}`, {
      select: (symbol) => {
        visitFrom(this.node, symbol, site);
      },
      nameOf: site.instruments.nameOf,
      chosen: site.redraw.invalidateNow,
    });
    this.node.append(this.view.node, this.status);
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
    this.view.draw(report?.summary?.movers[this.view.chosen] ?? NOTHING, this.site.selected(), strings);
    view.setText(this.status, marketStatus(report, this.site.now(), strings));
  }

  focus(): void {
    this.view.focus();
  }
}
