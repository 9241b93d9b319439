import type { Channel } from "../model";
import type { Key } from "../wire";
import type { Backoff } from "./backoff";

export interface ClientOptions {
  readonly url: string;
  readonly backoff?: Backoff;
  /** Deadline from `connect` to the server's greeting. Default 10 s, the time the server allows for authentication. */
  readonly greetingMs?: number;
  /** Conflation interval: at most one frame per interval. Default 0, no conflation. See `setConflation`. */
  readonly conflateMs?: number;
  /** Requested heartbeat interval; default 2 s. The connection is dropped after 2.5 intervals without data. */
  readonly heartbeatMs?: number;
  /** Credentials sent after each greeting; default none. See `authenticate`. */
  readonly key?: Key | undefined;
  /** Interval of round-trip measurements; default 5 s. */
  readonly roundTripMs?: number;
  /** Channels resumed without loss after a reconnect; default trades. */
  readonly resume?: readonly Channel[];
}
