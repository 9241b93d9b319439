import type { ReconnectAdvice } from "../wire";

/** How long to wait before another try. */
export interface Backoff {
  /** The longest first wait. */
  readonly firstMs: number;
  /** As far as the wait doubles at first: the server of a page that somebody looks at is looked for this often. */
  readonly eagerMs: number;
  /** So many failures in a row are met eagerly. */
  readonly eagerTries: number;
  /** The longest wait of all. */
  readonly maxMs: number;
  /** The shortest "later": for a server that said it is busy. */
  readonly laterMs: number;
  /** A session that lived this long forgives the failures before it. */
  readonly forgiveMs: number;
}

/**
 * A quarter of a second is hardly noticed by a person and leaves a restarting server room to bind. For
 * about a minute, as long as a restart may take, at most 1.8 s: a server that is back is found within two
 * seconds. After that half a minute, so that a page left open overnight costs a dead server nothing.
 */
export const DEFAULT_BACKOFF: Backoff = {
  firstMs: 250,
  eagerMs: 1_800,
  eagerTries: 48,
  maxMs: 30_000,
  laterMs: 5_000,
  forgiveMs: 10_000,
};

/**
 * The wait after so many failures in a row: doubles each time, and the upper half of it is chance,
 * so that the clients of one server do not come back as one crowd.
 */
export function waitMs(failures: number, advice: Exclude<ReconnectAdvice, "never">, random: number, backoff: Backoff): number {
  const longest = Math.max(longestOf(failures, backoff), advice === "later" ? 2 * backoff.laterMs : 0);
  return longest / 2 + (random * longest) / 2;
}

function longestOf(failures: number, { firstMs, eagerMs, eagerTries, maxMs }: Backoff): number {
  const eager = Math.min(eagerMs, firstMs * 2 ** Math.max(0, failures - 1));
  return failures <= eagerTries ? eager : Math.min(maxMs, eagerMs * 2 ** (failures - eagerTries));
}
