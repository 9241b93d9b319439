/**
 * The panels of the board.
 *
 * To add one: its file here, its style beside the others, imported by that file, its words, and its line in `PANELS`.
 */
import { AlertsPanel } from "./alerts";
import { ChartPanel } from "./chart";
import { ChatPanel } from "./chat";
import { HeatMapPanel } from "./heat-map";
import type { PanelKind } from "./host";
import { MoversPanel } from "./movers";
import { SalesPanel } from "./sales";
import { SourcePanel } from "./source";
import { StreamPanel } from "./stream";
import { WatchlistPanel } from "./watchlist";
import { WirePanel } from "./wire";

export { userId } from "./chat";
export { PanelFrame } from "./frame";
export type { PanelHost, PanelKind } from "./host";
export { ListEditor } from "./list-editor";
export { WholeMarketSource } from "./whole-market";
export { PriceAlerts } from "./price-alerts";

/** All panels, in the order of the Tab key. */
export const PANELS: readonly PanelKind[] = [
  { id: "chart", title: "chart", place: "board", slots: 2, make: (site) => new ChartPanel(site) },
  { id: "sales", title: "sales", place: "board", slots: 1, make: (site) => new SalesPanel(site) },
  { id: "stream", title: "stream", place: "board", slots: 3, make: (site) => new StreamPanel(site) },
  { id: "watchlist", title: "watchlist", place: "board", slots: 1, make: (site) => new WatchlistPanel(site) },
  { id: "chart-2", title: "chart", number: 2, place: "closed", slots: 2, make: (site) => new ChartPanel(site) },
  { id: "chart-3", title: "chart", number: 3, place: "closed", slots: 2, make: (site) => new ChartPanel(site) },
  { id: "chart-4", title: "chart", number: 4, place: "closed", slots: 2, make: (site) => new ChartPanel(site) },
  { id: "heat-map", title: "heatMap", place: "over", icon: "map", key: { key: "h", text: "keyHeatMap" }, slots: 3, make: (site) => new HeatMapPanel(site) },
  { id: "movers", title: "movers", place: "over", icon: "movers", key: { key: "m", text: "keyMovers" }, slots: 3, make: (site) => new MoversPanel(site) },
  { id: "chat", title: "chat", place: "over", icon: "chat", key: { key: "c", text: "keyChat" }, slots: 2, make: (site) => new ChatPanel(site) },
  { id: "alerts", title: "alerts", place: "over", icon: "bell", slots: 2, make: (site) => new AlertsPanel(site) },
  { id: "wire", title: "wire", place: "over", icon: "wire", key: { key: "w", text: "keyWire" }, slots: 3, made: "whenOpened", make: (site) => WirePanel.load(site) },
  { id: "source", title: "dataSource", place: "over", icon: "source", key: { key: "d", text: "keySource" }, slots: 5, made: "whenOpened", make: (site) => SourcePanel.load(site) },
];
