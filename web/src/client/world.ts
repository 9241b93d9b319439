import { millis, type Millis } from "../model";

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

/** A place with the names that browsers, workers, Deno, Bun and Node from 22 give to these things. */
export interface Host<Timer> {
  readonly WebSocket: new (url: string) => SocketLike;
  readonly Date: { now(): number };
  readonly Math: { random(): number };
  setTimeout(run: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
}

/** The world as this host has it: `worldOf(globalThis)`. */
export function worldOf<Timer>(host: Host<Timer>): World {
  return {
    WebSocket: host.WebSocket,
    now: () => millis(host.Date.now()),
    after: (ms, run) => {
      const timer = host.setTimeout(run, ms);
      return () => {
        host.clearTimeout(timer);
      };
    },
    random: () => host.Math.random(),
  };
}
