/**
 * A conversation with the server that is kept alive. Usable on its own: no DOM, and the WebSocket,
 * the clock, the timers and the randomness are handed in as a `World`.
 */
export { DEFAULT_BACKOFF, type Backoff } from "./backoff";
export { Client, type ClientEvents, type ClientOptions } from "./client";
export type { Gap } from "./sequence";
export { readyStateOf, type ClientState, type ReadyState } from "./state";
export type { SocketLike, World } from "./world";
