import type { Epoch, Seq, StockSymbol } from "../model";
import type { Control, ObjectReader, StreamSelection } from "../wire";
import type { RequestError } from "./requests";
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
  /** The number of the last trade received of a symbol. */
  readonly lastTrade: (symbol: StockSymbol) => Seq | undefined;
  /** What the application subscribes to. */
  readonly streams: () => StreamSelection;
  readonly nextId: () => number;
  readonly send: (command: string) => void;
}

/**
 * A part of the session that has commands or messages of its own: `Topics`, `Alerts`, `CompactTickers`.
 *
 * A client does not know its parts before they attach themselves, so that a bundler drops those that a page does not use.
 */
export interface SessionPart {
  /** True if there is nothing to ask for on a new connection. */
  readonly isEmpty: boolean;
  /** Decodes the objects of this part. */
  readonly read: ObjectReader;
  /** Options of a session's first subscribe command, as on the wire. */
  readonly extensions?: () => Readonly<Record<string, unknown>>;
  /** The first acknowledgement of a connection arrived. */
  begin(epochIs: "first" | "known" | "new"): void;
  /** The numbers of all streams begin again. */
  restart(): void;
  /** The connection ended: nothing more is answered on it. */
  disconnected(): void;
  /** A control message, of this part or of another. */
  handle(control: Control): void;
  /** The command of this id failed; false if it is none of this part. */
  failed(id: number | undefined, error: RequestError): boolean;
}
