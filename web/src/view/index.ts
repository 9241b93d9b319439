/** The parts of the page. Each draws the state it is given and reports user input through callbacks. */
export type { AlertLevel, AlertLinesActions } from "./alert-lines";
export { AlertsView } from "./alerts-panel";
export type { Chart, ChartActions } from "./chart";
export { makeChartMenu } from "./chart-menu";
export type { ShownLook } from "./chart-studies";
export { Board, clearBox, type Resize } from "./board";
export { ChatView, type ChatActions } from "./chat-panel";
export { makeColumnMenu } from "./column-menu";
export { ConnectionStatus, type ShownFreshness } from "./connection-status";
export { Flashes } from "./flashes";
export { byId, make, setData, setText } from "./dom";
export { exchangeHours } from "./exchange";
export { listenToFileDrops } from "./file-drop";
export { FrameScheduler, type Invalidation } from "./frame-scheduler";
export type { Grid, GridActions } from "./grid";
export type { GridRow, SectionRow, TotalRow } from "./grid-rows";
export { tickerFieldsOf, type GridMode } from "./columns";
export { Headline } from "./headline";
export { HeatMap, heatLegend, moverText, type HeatMapActions } from "./heat-map";
export { icon, type IconName } from "./icons";
export { IntervalPicker } from "./interval-picker";
export { listenToClipboard, listenToKeys, translateShortcuts, type PanelKey } from "./keyboard";
export type { LineNumber } from "./line-style";
export { Lazy } from "./lazy";
export { MarketClock } from "./market-clock";
export { MoversView, type MoversActions } from "./movers";
export { Notice, type NoticeOptions } from "./notice";
export { ListMenu } from "./list-menu";
export { NameDialog } from "./name-dialog";
export { PositionForm } from "./position-form";
export type { RowCommand } from "./row-keys";
export { RowMenu, type RowMenuContent } from "./row-menu";
export { TradeCard } from "./trade-card";
export { LoginForm } from "./login-form";
export { onSystemStyle } from "./palette";
export { PageTitle } from "./page-title";
export type { Badge, Panel } from "./panel";
export { makeDraggable, type DropPlace } from "./panel-drag";
export { makePanelList } from "./panel-list";
export { makePanelMenu, type PanelAbilities, type PanelCommand } from "./panel-menu";
export { openWindow } from "./pop-out";
export { listenToPrinting } from "./printing";
export { onScreenForm, screenForm } from "./screen-form";
export { iconButton, makeButton, PanelButton, panelSection, translated } from "./panel-parts";
export { SettingsForm } from "./settings-form";
export type { SourceFigure, SourceFigures, SourceView } from "./source-view";
export { SparklineQueue } from "./sparklines";
export { StreamControls } from "./stream-controls";
export { StreamView } from "./stream-panel";
export { SymbolSearch } from "./symbol-search";
export { TickerTape } from "./ticker-tape";
export { TimeAndSalesView } from "./time-and-sales";
export { translatePage, translateTexts } from "./translate";
export { WallClock } from "./wall-clock";
export { WatchlistPicker } from "./watchlist-picker";
export type { WireActions, WireView } from "./wire-view";

/** Loads the grid, which is large, in a chunk of its own: the page connects before it arrives. */
export const loadGrid = async () => {
  const { Grid } = await import("./grid");
  // Creating the grid blocks for long. Messages that arrived meanwhile are handled first, so that the first rows have prices.
  await new Promise((resolve) => setTimeout(resolve));
  return Grid;
};

/** Loads the chart, which is large, in a chunk of its own. */
export const loadChart = async () => (await import("./chart")).Chart;

/** Loads the wire panel, which few open, in a chunk of its own. */
export const loadWireView = async () => (await import("./wire-view")).WireView;

/** Loads the source panel in the same way. */
export const loadSourceView = async () => (await import("./source-view")).SourceView;
