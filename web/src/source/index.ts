/** What feeds the page: reads the server's answers about itself. Pure: no network, no clock, no DOM. */
export { ClockOffset, readClock, type MarketTimes } from "./clock";
export { flagOf, isJsonObject, numberOf, textOf, timeOf, type JsonObject } from "./fields";
export { firstTime, RANGES, rangePath, type RangeId } from "./history-range";
export { readMetrics, type ServerMetrics } from "./metrics";
export { NOTHING_TOLD, type Told, type SourceInfo } from "./source-info";
export { feedOf, readStatus, type ClusterStatus, type FeedStatus, type NodeStatus, type ServerStatus, type UpstreamStatus } from "./status";
