import type { Mover } from "../market";
import type { WholeMarketReport } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { marketStatus } from "./whole-market";
import { WholeMarketPanel } from "./whole-market-panel";

const NOTHING: readonly Mover[] = [];

/** The symbols of the whole market that moved most, were traded most, or are halted. */
export class MoversPanel extends WholeMarketPanel<view.MoversView> {
  private readonly status = view.make("p", "movers-status");

  constructor(site: PanelSite) {
    super(site, "movers-panel", "movers", (select) =>
      new view.MoversView(`movers-${site.id}`, { select, nameOf: site.instruments.nameOf, chosen: site.redraw.invalidateNow }),
    );
    this.node.append(this.view.node, this.status);
  }

  protected drawReport(report: WholeMarketReport | undefined, strings: Strings): void {
    const { selected, now } = this.site;
    this.view.draw(report?.summary?.movers[this.view.chosen] ?? NOTHING, selected(), strings);
    view.setText(this.status, marketStatus(report, now(), strings));
  }
}
