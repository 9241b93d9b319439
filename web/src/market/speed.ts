import type { Millis } from "../model";

/** Sums that only grow. */
export interface Sums {
  readonly frames: number;
  readonly bytes: number;
  readonly conflated: number;
}

/** How fast sums grow, over the last seconds. */
export class Speed {
  private readonly samples: (Sums & { readonly at: Millis })[] = [];

  /** Takes a sample, at most each half second, and answers what a second brought on average. */
  read(now: Millis, { frames, bytes, conflated }: Sums): Sums {
    const newest = this.samples.at(-1);
    if (newest === undefined || now - newest.at >= 500) this.samples.push({ frames, bytes, conflated, at: now });
    while (this.samples.length > 2 && now - (this.samples[0]?.at ?? now) > 5_000) this.samples.shift();
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
