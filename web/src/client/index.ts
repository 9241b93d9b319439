/**
 * A conversation with the server that is kept alive. Usable on its own: no DOM, and the WebSocket,
 * the clock, the timers and the randomness are handed in as a `World`. See README.md beside this file.
 */
export type { Acknowledgement, Key } from "../wire";
export { DEFAULT_BACKOFF, type Backoff } from "./backoff";
export { Client, type ClientEvents, type ClientOptions } from "./client";
export type { Counts } from "./counts";
export { History } from "./history";
export type { Gap } from "./sequence";
export { readyStateOf, type ClientState, type ReadyState } from "./state";
export { worldOf, type Host, type SocketLike, type World } from "./world";
