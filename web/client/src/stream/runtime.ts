import { millis, type Millis } from "../model";
import type { ConnectError } from "./events";

/** The part of `WebSocket` that the client uses. Browsers and the `ws` package both provide it. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  readonly protocol?: string;
  readonly extensions?: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Everything the client needs from the JavaScript runtime. Injected, so that tests control the clock. */
export interface Runtime {
  readonly WebSocket: new (url: string) => SocketLike;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => Millis;
  /** Calls `run` once after a delay; returns a function that cancels it. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** Finds out why the connection to this URL did not open. Never rejects. */
  readonly diagnose?: (url: string) => Promise<ConnectError>;
}

/** The globals that a `Runtime` is made of. Browsers, workers, Deno, Bun and Node from 22 have them all. */
export interface RuntimeGlobals<Timer> {
  readonly WebSocket: new (url: string) => SocketLike;
  readonly Date: { now(): number };
  readonly Math: { random(): number };
  setTimeout(run: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
}

/** The runtime of these globals, usually `runtimeOf(globalThis)`. */
export function runtimeOf<Timer>(globals: RuntimeGlobals<Timer>): Runtime {
  return {
    WebSocket: globals.WebSocket,
    now: () => millis(globals.Date.now()),
    after: (ms, run) => {
      const timer = globals.setTimeout(run, ms);
      return () => {
        globals.clearTimeout(timer);
      };
    },
    random: () => globals.Math.random(),
  };
}
