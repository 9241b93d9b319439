/** The stream client with its topics and alerts, and the client of the REST endpoints. */
export { Alerts, type AlertEvents, type AlertRequest, type AlertState } from "./alerts";
export { DEFAULT_BACKOFF, type Backoff } from "./backoff";
export { Client } from "./client";
export { CompactTickers, type CompactOptions } from "./compact-tickers";
export type { Negotiated } from "./connection";
export type { Counters } from "./counters";
export type { ClientEvents, ConnectError, WireMessage } from "./events";
export { HistoryClient, type GetJson } from "./history-client";
export { FullClient } from "./full-client";
export type { ClientOptions } from "./options";
export { RequestError, type NoAnswer } from "./requests";
export type { Gap } from "./sequence";
export type { CommandPort, SessionPart } from "./session-part";
export { readyStateOf, type ClientState, type ReadyState } from "./state";
export type { Streams } from "./subscriptions";
export { TokenRefresh, type FetchToken } from "./token-refresh";
export { Topics, type TopicEvents, type TopicGap, type TopicStatus } from "./topics";
export { runtimeOf, type Runtime, type RuntimeGlobals, type SocketLike } from "./runtime";
