import type { ReconnectAdvice } from "../wire";

/** Limits of the reconnect back-off. */
export interface Backoff {
  /** Upper bound of the first wait. */
  readonly initialMs: number;
  /** Upper bound of a wait during the first `fastTries` attempts. */
  readonly fastMaxMs: number;
  /** Number of consecutive failures during which `fastMaxMs` applies. */
  readonly fastTries: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
  /** Minimum wait if the close code says "later" (the server is busy). */
  readonly laterMs: number;
  /** A session that lived this long resets the failure count. */
  readonly resetAfterMs: number;
}

/**
 * The default back-off.
 *
 * A first wait of 250 ms is barely noticed and gives a restarting server time to bind its port. For about a minute,
 * as long as a restart may take, waits are at most 1.8 s: the page reconnects within two seconds of the server's
 * return. After that the wait is 30 s, so a page left open overnight puts no load on a dead server.
 */
export const DEFAULT_BACKOFF: Backoff = {
  initialMs: 250,
  fastMaxMs: 1_800,
  fastTries: 48,
  maxMs: 30_000,
  laterMs: 5_000,
  resetAfterMs: 10_000,
};

/**
 * The wait before the next attempt: exponential back-off with jitter.
 *
 * The upper half of the wait is random, so that the clients of one server do not reconnect all at once. `random` is
 * in [0, 1).
 */
export function waitMs(failures: number, advice: Exclude<ReconnectAdvice, "never">, random: number, backoff: Backoff): number {
  const longest = Math.max(longestWait(failures, backoff), advice === "later" ? 2 * backoff.laterMs : 0);
  return longest / 2 + (random * longest) / 2;
}

function longestWait(failures: number, { initialMs, fastMaxMs, fastTries, maxMs }: Backoff): number {
  const fast = Math.min(fastMaxMs, initialMs * 2 ** Math.max(0, failures - 1));
  return failures <= fastTries ? fast : Math.min(maxMs, fastMaxMs * 2 ** (failures - fastTries));
}
