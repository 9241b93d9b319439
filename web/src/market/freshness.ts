import type { Millis } from "../model";

/** How current the displayed data is. */
export type Freshness =
  /** Not connected. */
  | { readonly kind: "off" }
  /** Connected, but neither data nor heartbeats arrive. */
  | { readonly kind: "lost"; readonly silentMs: number }
  /** Objects were lost and not recovered. */
  | { readonly kind: "missed"; readonly count: number }
  /** Heartbeats arrive, but the market has no events. */
  | { readonly kind: "quiet"; readonly ageMs: number }
  | { readonly kind: "live"; readonly ageMs: number };

/** A market without events for this long is quiet. */
const QUIET_MS = 2_500;

/** Time without any data after which the feed is lost. Heartbeats are requested every 2 s. */
const LOST_MS = 3_500;

/** How long missed objects are shown. */
const MISSED_MS = 20_000;

/** Derives the freshness of the data from events, heartbeats and gaps. */
export class FreshnessTracker {
  private eventAt: Millis | undefined;
  /** Time of the latest event of the whole market, from the last heartbeat. */
  private marketAt: number | undefined;
  private missed: { count: number; at: Millis } | undefined;

  event(now: Millis): void {
    this.eventAt = now;
  }

  heartbeat(ageMs: number, now: Millis): void {
    this.marketAt = now - ageMs;
  }

  miss(count: number, now: Millis): void {
    this.missed = { count: (this.missed?.count ?? 0) + count, at: now };
  }

  /** The missed objects were recovered. */
  recovered(): void {
    this.missed = undefined;
  }

  read(now: Millis, connection: { readonly isLive: boolean; readonly lastReceived: Millis }): Freshness {
    if (!connection.isLive) return { kind: "off" };
    const silentMs = now - connection.lastReceived;
    if (silentMs > LOST_MS) return { kind: "lost", silentMs };
    if (this.missed !== undefined && now - this.missed.at < MISSED_MS) return { kind: "missed", count: this.missed.count };
    this.missed = undefined;
    const latest = Math.max(this.eventAt ?? 0, this.marketAt ?? 0);
    const ageMs = latest === 0 ? silentMs : Math.max(0, now - latest);
    return { kind: ageMs > QUIET_MS ? "quiet" : "live", ageMs };
  }
}
