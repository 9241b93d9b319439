import { millis, type Millis } from "@tapecast/client";

/** How current the displayed data is. */
export type Freshness =
  /** No data yet. */
  | { readonly kind: "off" }
  /** The feed is lost: the prices are those of an earlier time, the last one at which they were known to be current. */
  | { readonly kind: "stale"; readonly since: Millis }
  /** Objects were lost and not recovered. */
  | { readonly kind: "missed"; readonly count: number }
  /** Heartbeats arrive, but the market has no events. */
  | { readonly kind: "quiet"; readonly ageMs: number }
  | { readonly kind: "live"; readonly ageMs: number };

/** What the connection says about the feed. */
export interface FeedConnection {
  /** True if a command of the connection is acknowledged: data or heartbeats are due. */
  readonly isLive: boolean;
  /** When anything last arrived. */
  readonly lastReceived: Millis;
}

/** A market without events for this long is quiet. */
const QUIET_MS = 2_500;

/**
 * Time without any data after which the feed is lost. Heartbeats are requested every 2 s, so one may be late by more than
 * a second; with the page's tick of 250 ms the loss shows within 4 s.
 */
export const LOST_MS = 3_300;

/** The weather of a city is published about once a minute: one that is this old is no longer that of now. */
const OUTDATED_MS = 600_000;

/** Whether what was published then, beside the market, is to be marked as old: by its age, or because the feed is lost. */
export function isOutdated(publishedAt: Millis, now: Millis, feed: Freshness): boolean {
  return feed.kind === "stale" || now - publishedAt > OUTDATED_MS;
}

/** How long missed objects are shown. */
const MISSED_MS = 20_000;

/**
 * Derives the freshness of the data from events, heartbeats, gaps and the connection.
 *
 * The rule for stale prices: from the moment the feed is lost until the first new object. A lost connection is a lost
 * feed, whatever the next attempts do. On a connection that only was silent, heartbeats prove that nothing was missed.
 */
export class FreshnessTracker {
  private eventAt: Millis | undefined;
  /** Time of the latest event of the whole market, from the last heartbeat. */
  private marketAt: number | undefined;
  /** When the prices were last known to be current. */
  private currentAt: Millis | undefined;
  private lost: "connection" | "silence" | undefined;
  private isQuiet = false;
  private missed: { count: number; at: Millis } | undefined;

  /** An object arrived. Returns for how long the prices were stale until now; 0 if they were not. */
  event(now: Millis): number {
    const silentMs = now - (this.currentAt ?? now);
    const wasStale = this.lost !== undefined || silentMs > LOST_MS;
    this.eventAt = now;
    this.currentAt = now;
    this.lost = undefined;
    return wasStale ? Math.max(1, silentMs) : 0;
  }

  heartbeat(ageMs: number, now: Millis): void {
    this.marketAt = now - ageMs;
    if (this.lost === "connection") return;
    this.currentAt = now;
    this.lost = undefined;
  }

  /** The connection ended or was replaced. */
  disconnected(): void {
    if (this.currentAt !== undefined) this.lost = "connection";
  }

  miss(count: number, now: Millis): void {
    this.missed = { count: (this.missed?.count ?? 0) + count, at: now };
  }

  /** Missed objects were recovered. */
  recovered(count: number): void {
    if (this.missed === undefined) return;
    this.missed.count -= count;
    if (this.missed.count <= 0) this.missed = undefined;
  }

  read(now: Millis, connection: FeedConnection): Freshness {
    this.judge(now, connection);
    if (this.lost !== undefined && this.currentAt !== undefined) return { kind: "stale", since: this.currentAt };
    if (!connection.isLive) return { kind: "off" };
    if (this.missed !== undefined && now - this.missed.at < MISSED_MS) return { kind: "missed", count: this.missed.count };
    this.missed = undefined;
    const latest = Math.max(this.eventAt ?? 0, this.marketAt ?? 0);
    const ageMs = Math.max(0, now - (latest === 0 ? connection.lastReceived : latest));
    // Without a recent heartbeat a silence may as well be the beginning of a loss.
    if (now - connection.lastReceived <= QUIET_MS) this.isQuiet = ageMs > QUIET_MS;
    return { kind: this.isQuiet ? "quiet" : "live", ageMs };
  }

  private judge(now: Millis, { isLive, lastReceived }: FeedConnection): void {
    if (!isLive || this.lost === "connection") return;
    const isSilent = now - lastReceived > LOST_MS;
    this.currentAt = millis(Math.max(this.currentAt ?? 0, lastReceived));
    this.lost = isSilent ? "silence" : undefined;
  }
}
