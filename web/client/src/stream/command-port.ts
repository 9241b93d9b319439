import type { Epoch } from "../model";
import type { Runtime } from "./runtime";

/** What the parts of a client need from its connection. */
export interface CommandPort {
  readonly runtime: Runtime;
  readonly isLive: () => boolean;
  /** True once a command of the live connection is acknowledged: commands may be sent, and the epoch is known. */
  readonly isAcknowledged: () => boolean;
  /** Makes sure that an acknowledgement comes, if the connection is live. */
  readonly requestAcknowledgement: () => void;
  /** Undefined if the server has no epochs. */
  readonly epoch: () => Epoch | undefined;
  readonly nextId: () => number;
  readonly send: (command: string) => void;
}
