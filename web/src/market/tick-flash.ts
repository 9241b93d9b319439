/** A figure that stood still for this long flashes brightly when it changes. */
const STILL_MS = 3_000;

/** A figure that changes more often is looked at once in this time. */
const LOOK_MS = 1_000;

/** A move that is this many times as far as usual is large: about a fifth of them. */
const LARGE = 1.5;

/** Weight of the latest move in what is usual. */
const WEIGHT = 0.25;

/** How a figure flashes: brightly after a time of rest, faintly for a large move of a busy one. */
export interface TickFlash {
  readonly direction: "up" | "down";
  readonly strength: "bright" | "faint";
}

/**
 * Decides which changes of one figure flash.
 *
 * In a busy market a figure changes with every frame, and a flash that is always on tells nothing. A figure at rest
 * flashes with each change. A busy one flashes at most once per second, and only if it moved much further than it
 * usually does in a second.
 */
export class TickFlashes {
  private value: number | undefined;
  private changedAt = 0;
  /** The value that the next move of a busy figure is measured from, and since when. */
  private base = 0;
  private basedAt = 0;
  private usualMove = 0;

  /** The figure shows another value now. Its first value does not flash. */
  change(value: number, now: number): TickFlash | undefined {
    const { value: before, changedAt } = this;
    this.value = value;
    this.changedAt = now;
    if (before === undefined) {
      this.rebase(value, now);
      return undefined;
    }
    if (now - changedAt >= STILL_MS) {
      this.rebase(value, now);
      return flashOf(value - before, "bright");
    }
    if (now - this.basedAt < LOOK_MS) return undefined;
    const move = value - this.base;
    const isLarge = Math.abs(move) >= this.usualMove * LARGE;
    this.usualMove += (Math.abs(move) - this.usualMove) * WEIGHT;
    this.rebase(value, now);
    return isLarge ? flashOf(move, "faint") : undefined;
  }

  private rebase(value: number, now: number): void {
    this.base = value;
    this.basedAt = now;
  }
}

function flashOf(move: number, strength: TickFlash["strength"]): TickFlash | undefined {
  return move === 0 ? undefined : { direction: move > 0 ? "up" : "down", strength };
}
