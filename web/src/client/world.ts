import type { Millis } from "../model";

/** What the client asks of a WebSocket; the browser's and the `ws` package's both have it. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Everything that the client needs of the place it runs in. Handed in, so that tests can hold the clock. */
export interface World {
  readonly WebSocket: new (url: string) => SocketLike;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => Millis;
  /** Runs once after so many milliseconds; the answer cancels it. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}
