import type { Millis } from "../model";
import type { Close } from "../wire";

/** Where the conversation stands. */
export type ClientState =
  /** Never connected. */
  | { readonly phase: "idle" }
  /** The socket is being opened. */
  | { readonly phase: "connecting" }
  /** The socket is open; the server has not greeted yet. */
  | { readonly phase: "greeting" }
  /** Greeted; what is wanted has been subscribed to. */
  | { readonly phase: "live"; readonly since: Millis }
  /** We asked to close and wait for the server to agree. */
  | { readonly phase: "closing" }
  /** Closed; the next try is at `until`. */
  | { readonly phase: "waiting"; readonly until: Millis; readonly close: Close }
  /** Closed for good, until somebody calls `connect`. */
  | { readonly phase: "ended"; readonly close: Close };

/** The names that the WebSocket standard gives to `readyState`. */
export type ReadyState = "CONNECTING" | "OPEN" | "CLOSING" | "CLOSED";

/** The state as `readyState` would tell it. */
export function readyStateOf(state: ClientState): ReadyState {
  switch (state.phase) {
    case "connecting":
      return "CONNECTING";
    case "greeting":
    case "live":
      return "OPEN";
    case "closing":
      return "CLOSING";
    case "idle":
    case "waiting":
    case "ended":
      return "CLOSED";
  }
}
