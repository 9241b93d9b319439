import type { Millis } from "@tapecast/client";
import { isJsonObject, timeOf } from "./fields";

/** The answer of `GET /v2/clock`. */
export interface MarketTimes {
  readonly serverTime: Millis;
  /** A market that never closes has days, which end when the next one begins. */
  readonly phase: "open" | "closed" | "continuous";
  readonly nextOpen: Millis;
  readonly nextClose: Millis;
}

export function readClock(body: unknown): MarketTimes | undefined {
  if (!isJsonObject(body)) return undefined;
  const [serverTime, nextOpen, nextClose] = [timeOf(body["timestamp"]), timeOf(body["next_open"]), timeOf(body["next_close"])];
  const isOpen = body["is_open"];
  if (serverTime === undefined || nextOpen === undefined || nextClose === undefined || typeof isOpen !== "boolean") return undefined;
  const phase = !isOpen ? "closed" : nextOpen === nextClose ? "continuous" : "open";
  return { serverTime, phase, nextOpen, nextClose };
}

/** Samples that are compared. The path of the fastest is the least delayed, and so the most exact. */
const SAMPLES = 8;

interface Sample {
  /** The server's time minus the page's. */
  readonly offsetMs: number;
  /** The offset is exact up to this: the server may have read its clock at any moment of the round trip. */
  readonly errorMs: number;
}

/** Compares the server's clock with the page's, as NTP does. */
export class ClockOffset {
  private samples: readonly Sample[] = [];

  add(serverTime: number, sentAt: number, receivedAt: number): void {
    const sample = { offsetMs: serverTime - (sentAt + receivedAt) / 2, errorMs: (receivedAt - sentAt) / 2 };
    const latest = this.samples.at(-1);
    // One of the clocks was set: what was measured before is void.
    const wasSet = latest !== undefined && Math.abs(latest.offsetMs - sample.offsetMs) > latest.errorMs + sample.errorMs;
    this.samples = [...(wasSet ? [] : this.samples.slice(1 - SAMPLES)), sample];
  }

  /** The most exact of the recent samples. */
  get best(): Sample | undefined {
    return this.samples.reduce<Sample | undefined>((best, sample) => (best === undefined || sample.errorMs < best.errorMs ? sample : best), undefined);
  }
}
