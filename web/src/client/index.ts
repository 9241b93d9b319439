/**
 * A reconnecting, resuming client of the stream, and a client of the REST endpoints.
 *
 * Usable on its own: it needs no DOM, and the WebSocket, the clock, the timers and the randomness are injected as a
 * `Runtime`. See README.md in this folder.
 */
export type { Acknowledgement, Close, Key, Presence, Published, StreamSelection, Timeframe } from "../wire";
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
