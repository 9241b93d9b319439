import type { Millis } from "../model";

/** How fresh what we see is. */
export type Freshness =
  /** There is no connection. */
  | { readonly is: "off" }
  /** The connection is there and says nothing, not even that it lives. */
  | { readonly is: "lost"; readonly silentMs: number }
  /** Something that happened did not come, and nothing brought it since. */
  | { readonly is: "missed"; readonly count: number }
  /** The server lives and says that nothing happens. */
  | { readonly is: "quiet"; readonly ageMs: number }
  | { readonly is: "live"; readonly ageMs: number };

/** Without anything new for so long, a market is quiet and not merely between two ticks. */
const QUIET_MS = 2_500;

/** Nothing at all, where a sign of life was promised each two seconds. */
const LOST_MS = 3_500;

/** A loss stays in sight for so long. */
const MISSED_MS = 20_000;

/** Follows events, signs of life and losses, and says at any time how fresh the board is. */
export class Feed {
  private eventAt: Millis | undefined;
  /** When the newest event of the whole market happened, by the server's last word on it. */
  private marketAt: number | undefined;
  private missed: { count: number; at: Millis } | undefined;

  event(now: Millis): void {
    this.eventAt = now;
  }

  beat(ageMs: number, now: Millis): void {
    this.marketAt = now - ageMs;
  }

  miss(count: number, now: Millis): void {
    this.missed = { count: (this.missed?.count ?? 0) + count, at: now };
  }

  /** What was missed came after all. */
  healed(): void {
    this.missed = undefined;
  }

  read(now: Millis, connection: { readonly isLive: boolean; readonly lastReceived: Millis }): Freshness {
    if (!connection.isLive) return { is: "off" };
    const silentMs = now - connection.lastReceived;
    if (silentMs > LOST_MS) return { is: "lost", silentMs };
    if (this.missed !== undefined && now - this.missed.at < MISSED_MS) return { is: "missed", count: this.missed.count };
    this.missed = undefined;
    const newest = Math.max(this.eventAt ?? 0, this.marketAt ?? 0);
    const ageMs = newest === 0 ? silentMs : Math.max(0, now - newest);
    return { is: ageMs > QUIET_MS ? "quiet" : "live", ageMs };
  }
}
