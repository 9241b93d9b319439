/** The stream client with its topics and alerts, and the client of the REST endpoints. */
export type { AlertEvents, Alerts, AlertState } from "./alerts";
export { DEFAULT_BACKOFF, type Backoff } from "./backoff";
export { Client } from "./client";
export type { Counters } from "./counters";
export type { ClientEvents } from "./events";
export { HistoryClient } from "./history-client";
export type { ClientOptions } from "./options";
export { RequestError, type NoAnswer } from "./requests";
export type { Gap } from "./sequence";
export { readyStateOf, type ClientState, type ReadyState } from "./state";
export type { TopicEvents, TopicGap, Topics, TopicStatus } from "./topics";
export { runtimeOf, type Runtime, type RuntimeGlobals, type SocketLike } from "./runtime";
