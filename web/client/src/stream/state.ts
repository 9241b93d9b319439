import type { Millis } from "../model";
import type { Close } from "../wire";

/** The state of a client's connection. */
export type ClientState =
  /** `connect` was never called. */
  | { readonly phase: "idle" }
  /** The socket is being opened. */
  | { readonly phase: "connecting" }
  /** The socket is open; waiting for the server's greeting. */
  | { readonly phase: "greeting" }
  /** The greeting arrived and the subscribe command is sent. */
  | { readonly phase: "live"; readonly since: Millis }
  /** We sent a Close frame and wait for the server's. */
  | { readonly phase: "closing" }
  /** Disconnected; the next attempt is at `until`. */
  | { readonly phase: "waiting"; readonly until: Millis; readonly close: Close }
  /** Disconnected, with no further attempt until `connect` is called. */
  | { readonly phase: "ended"; readonly close: Close };

/** `WebSocket.readyState` by name. */
export type ReadyState = "CONNECTING" | "OPEN" | "CLOSING" | "CLOSED";

/** Maps the state to the equivalent `readyState`. */
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
