import type { Millis } from "@tapecast/client";

/** Totals that only grow. */
export interface Totals {
  readonly frames: number;
  readonly bytes: number;
  readonly conflated: number;
}

/** Minimum distance of two samples. */
const SAMPLE_MS = 500;

const WINDOW_MS = 5_000;

/** Computes rates per second from growing totals, averaged over the last five seconds. */
export class RateMeter {
  private readonly samples: (Totals & { readonly at: Millis })[] = [];

  /** Takes a sample at most every half second; returns the average increase per second. */
  read(now: Millis, { frames, bytes, conflated }: Totals): Totals {
    const newest = this.samples.at(-1);
    if (newest === undefined || now - newest.at >= SAMPLE_MS) this.samples.push({ frames, bytes, conflated, at: now });
    while (this.samples.length > 2 && now - (this.samples[0]?.at ?? now) > WINDOW_MS) this.samples.shift();
    const first = this.samples[0];
    const seconds = first === undefined ? 0 : (now - first.at) / 1000;
    if (first === undefined || seconds <= 0) return { frames: 0, bytes: 0, conflated: 0 };
    return {
      frames: (frames - first.frames) / seconds,
      bytes: (bytes - first.bytes) / seconds,
      conflated: (conflated - first.conflated) / seconds,
    };
  }
}
