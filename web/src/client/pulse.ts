import type { Millis } from "../model";

/** A server that granted heartbeats and is silent for so many of them is gone, whatever the socket says. */
const PATIENCE = 2.5;

/** On top of it, for a network that hesitates. */
const GRACE_MS = 500;

/** When something was last heard of the server, and how long it takes to answer. Pure: times are arguments. */
export class Pulse {
  private heardAt: Millis;
  private heartbeatMs = 0;
  private asked: { readonly id: number; readonly at: Millis } | undefined;

  constructor(now: Millis) {
    this.heardAt = now;
  }

  get lastHeard(): Millis {
    return this.heardAt;
  }

  heard(now: Millis): void {
    this.heardAt = now;
  }

  /** The server promised a sign of life each so many milliseconds; 0 is no promise. */
  promised(heartbeatMs: number): void {
    this.heartbeatMs = heartbeatMs;
  }

  isGone(now: Millis): boolean {
    return this.heartbeatMs > 0 && now - this.heardAt > this.heartbeatMs * PATIENCE + GRACE_MS;
  }

  asks(id: number, now: Millis): void {
    this.asked ??= { id, at: now };
  }

  /** The time from question to answer; undefined when this answers no question of ours. */
  answered(id: number | undefined, now: Millis): number | undefined {
    if (this.asked === undefined || this.asked.id !== id) return undefined;
    const took = now - this.asked.at;
    this.asked = undefined;
    return took;
  }
}
