/**
 * A reconnecting, resuming client of the stream, and a client of the REST endpoints.
 *
 * Usable on its own: it needs no DOM, and the WebSocket, the clock, the timers and the randomness are injected as a
 * `Runtime`. See README.md in this folder.
 */
export type { Acknowledgement, Close, Key, Presence, Published, StreamSelection, Timeframe } from "../wire";
export { DEFAULT_BACKOFF, type Backoff } from "./backoff";
export { Client, type ClientEvents, type ClientOptions } from "./client";
export type { Counters } from "./counters";
export { HistoryClient } from "./history-client";
export { RequestError, type NoAnswer } from "./requests";
export type { Gap } from "./sequence";
export { readyStateOf, type ClientState, type ReadyState } from "./state";
export type { TopicEvents, TopicGap, Topics, TopicStatus } from "./topics";
export { runtimeOf, type Runtime, type RuntimeGlobals, type SocketLike } from "./runtime";
