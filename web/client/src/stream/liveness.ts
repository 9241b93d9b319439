import type { Millis } from "../model";

/** Number of heartbeat intervals without data after which the server is considered dead. */
const MISSED_INTERVALS = 2.5;

/** Extra allowance for network delay. */
const GRACE_MS = 500;

/** Tracks when data last arrived and measures the round-trip time. Pure: times are arguments. */
export class Liveness {
  private receivedAt: Millis;
  private heartbeatMs = 0;
  private ping: { readonly id: number; readonly sentAt: Millis } | undefined;

  constructor(now: Millis) {
    this.receivedAt = now;
  }

  get lastReceived(): Millis {
    return this.receivedAt;
  }

  received(now: Millis): void {
    this.receivedAt = now;
  }

  /** Sets the heartbeat interval that the server acknowledged; 0 disables the check. */
  setHeartbeat(heartbeatMs: number): void {
    this.heartbeatMs = heartbeatMs;
  }

  isDead(now: Millis): boolean {
    // A clock that was set back would hide the silence for as long as the step.
    if (now < this.receivedAt) this.receivedAt = now;
    return this.heartbeatMs > 0 && now - this.receivedAt > this.heartbeatMs * MISSED_INTERVALS + GRACE_MS;
  }

  /** Starts a round-trip measurement with the command of this id, unless one is pending. */
  commandSent(id: number, now: Millis): void {
    this.ping ??= { id, sentAt: now };
  }

  /** The round-trip time in milliseconds; undefined unless this id is the one being measured. */
  acknowledged(id: number | undefined, now: Millis): number | undefined {
    if (this.ping === undefined || this.ping.id !== id) return undefined;
    const roundTrip = now - this.ping.sentAt;
    this.ping = undefined;
    return roundTrip;
  }
}
