import type { LoggedFrame } from "./frame";
import type { SocketState, StateChange } from "./timeline";

/** What became of the command that was sent last. */
export interface Outcome {
  readonly command: number;
  /** `lost`: the connection ended before an answer. `unsent`: there was none. */
  readonly status: "waiting" | "answered" | "lost" | "unsent";
  readonly roundTripMs?: number;
  readonly answer?: LoggedFrame;
}

/** One connection as it is shown. */
export interface WireConnection {
  readonly address: string;
  /** Empty if none was agreed on. */
  readonly protocol: string;
  readonly extensions: string;
  readonly states: readonly StateChange[];
  readonly state: SocketState;
}
