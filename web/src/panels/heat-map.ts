import type { Mover } from "../market";
import type { WholeMarketReport } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { marketStatus } from "./whole-market";
import { WholeMarketPanel } from "./whole-market-panel";

const NOTHING: readonly Mover[] = [];

/** The whole market at a glance: a treemap by traded value, coloured by the day's change. */
export class HeatMapPanel extends WholeMarketPanel<view.HeatMap> {
  private readonly detail = view.make("p", "heat-detail");

  constructor(site: PanelSite) {
    const { instruments, redraw } = site;
    super(site, "heat-panel", "heatMap", (select) => {
      const actions = { select, nameOf: instruments.nameOf, pointed: redraw.invalidateNow };
      return new view.HeatMap(actions, redraw.invalidateNow);
    });
    this.node.append(this.view.node, view.make("div", "heat-foot", this.detail, view.heatLegend()));
  }

  protected drawReport(report: WholeMarketReport | undefined, strings: Strings): void {
    const { selected, now, instruments } = this.site;
    this.view.draw(report?.summary?.largest ?? NOTHING, selected(), strings);
    const { pointed } = this.view;
    view.setText(this.detail, pointed === undefined ? marketStatus(report, now(), strings) : view.moverText(pointed, instruments.nameOf(pointed.symbol), strings));
  }
}
