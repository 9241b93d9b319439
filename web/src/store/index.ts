/** The state of the page that comes from the server: keeps live data and history together. Pure: no DOM, no clock of its own. */
export { ChartFeed } from "./chart-feed";
export { ChatStore } from "./chat-store";
export { ComparedFeeds, type Compared } from "./compared-feeds";
export { HistoryLoader } from "./history-loader";
export { InstrumentDirectory } from "./instrument-directory";
export { MarketStore } from "./market-store";
export type { SourceStore } from "./source-store";
export { WeatherStore } from "./weather-store";
export { WholeMarketFeed, type WholeMarketReport, type WholeMarketRequest } from "./whole-market-feed";
export type { WireStore } from "./wire-store";

/** Loads what only the wire panel needs, in a chunk of its own. */
export const loadWireStore = async () => (await import("./wire-store")).WireStore;

/** Loads what only the source panel needs, in a chunk of its own. */
export const loadSourceStore = async () => (await import("./source-store")).SourceStore;
