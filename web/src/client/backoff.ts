import type { ComeBack } from "../wire";

/** How long to wait before another try. */
export interface Backoff {
  /** The longest first wait. */
  readonly firstMs: number;
  /** The longest wait of all. */
  readonly maxMs: number;
  /** The shortest "later": for a server that said it is busy. */
  readonly laterMs: number;
  /** A session that lived this long forgives the failures before it. */
  readonly forgiveMs: number;
}

/**
 * Half a second is hardly noticed by a person and leaves a restarting server room to bind; half a
 * minute at most, so that a page left open overnight is alive soon after the server is.
 */
export const DEFAULT_BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000, laterMs: 5_000, forgiveMs: 10_000 };

/**
 * The wait after so many failures in a row: doubles each time, and the upper half of it is chance,
 * so that the clients of one server do not come back as one crowd.
 */
export function waitMs(failures: number, advice: Exclude<ComeBack, "never">, random: number, backoff: Backoff): number {
  const doubled = backoff.firstMs * 2 ** Math.max(0, failures - 1);
  const longest = Math.min(backoff.maxMs, advice === "later" ? Math.max(doubled, 2 * backoff.laterMs) : doubled);
  return longest / 2 + (random * longest) / 2;
}
