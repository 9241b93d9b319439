import type { MarketEvent, Millis } from "../model";
import type { Acknowledgement, FeedNotice } from "../wire";
import type { Gap } from "./sequence";
import type { ClientState } from "./state";

/** Why no connection opens. */
export interface ConnectError {
  /**
   * `unreachable`: nothing answers, as far as the page can tell. `origin`: the server answers, but does not let in pages of
   * this origin. `refused`: it answers this page, but opens no stream.
   */
  readonly reason: "unreachable" | "origin" | "refused";
  /** One sentence in English, which names the server and what may help. */
  readonly message: string;
}

/** A WebSocket message as it was sent or received. */
export interface WireMessage {
  readonly direction: "in" | "out";
  readonly data: unknown;
  readonly at: Millis;
}

/** The events of a client. */
export interface ClientEvents {
  state: ClientState;
  /** No connection has opened yet. The client goes on trying. Only from clients of `connect`. */
  connectError: ConnectError;
  /** Every message of the connection, for tools that show the wire. Nothing is made without a listener. */
  frame: WireMessage;
  /** The market events of one frame, in order and without duplicates. */
  market: { readonly events: readonly MarketEvent[]; readonly receivedAt: Millis };
  /** Objects are missing from a stream. */
  gap: Gap;
  /**
   * The server acknowledged a command. A new epoch means that the server restarted: numbers began anew, and nothing is
   * known to be missing.
   */
  acknowledged: Acknowledgement & { readonly epochIs: "first" | "known" | "new" };
  /** The connection was idle for a heartbeat interval; `ageMs` is the age of the latest event of the whole market. */
  heartbeat: { readonly ageMs: number; readonly receivedAt: Millis };
  /** A measured round-trip time, in milliseconds. */
  roundTrip: number;
  /** The state of the feed changed: a source was lost, is back or has ended, or the clock was set. */
  feed: FeedNotice;
  /** The server is shutting down and asks for a reconnect after this delay, in milliseconds. */
  drain: number;
  /** An error message of the server; `why` explains it. The session may continue. */
  serverError: { readonly code: number; readonly message: string; readonly why: string | undefined };
  /** A frame or an object could not be decoded; one sentence. */
  unreadable: string;
}
