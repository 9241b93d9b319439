/** A part of the picture: what is marked is drawn once, however often it was marked. */
export interface Part {
  /** Something changed: it is drawn when its turn comes. */
  readonly mark: () => void;
  /** The viewer did something: it is drawn in the next frame. */
  readonly hurry: () => void;
}

/** What may be drawn in one frame before the rest waits for the next: half of it, since style, layout and paint follow. */
const BUDGET_MS = 8;

/** A timer may be early by so much. */
const EARLY_MS = 2;

/** Ten prices a second are read by nobody. */
const BEAT_MS = 100;

/**
 * Draws each part of the picture as often as eyes can use it, and no more. All keep one beat, and so share its frame:
 * a frame costs its style, layout and paint however little has changed. A part that was quiet for a while is drawn
 * at once. What would make a frame too long waits for the next; nobody waits twice, since who was drawn is not due again
 * so soon.
 *
 * In a hidden tab there are no frames, and so nothing is drawn.
 */
export class Rhythm {
  private readonly parts: Turn[] = [];
  private isRequested = false;

  /** A part that is drawn at most once in so many beats. */
  part(beats: number, draw: () => void): Part {
    const part: Turn = { draw, dueAt: NEVER, drawnAt: Number.NEGATIVE_INFINITY };
    this.parts.push(part);
    return {
      mark: () => {
        if (part.dueAt !== NEVER) return;
        part.dueAt = (Math.round(part.drawnAt / BEAT_MS) + beats) * BEAT_MS;
        const waitMs = part.dueAt - performance.now();
        if (waitMs <= 0) this.request();
        else setTimeout(this.request, waitMs);
      },
      hurry: () => {
        part.dueAt = 0;
        this.request();
      },
    };
  }

  /** Draws all that is marked now, and nothing twice: a picture that is held from here on is of one moment in all its parts. */
  settle(): void {
    const now = performance.now();
    for (const part of this.parts) {
      if (part.dueAt !== NEVER) draw(part, now);
    }
  }

  private readonly request = (): void => {
    if (this.isRequested) return;
    this.isRequested = true;
    requestAnimationFrame(() => {
      this.isRequested = false;
      this.draw();
    });
  };

  private draw(): void {
    const startedAt = performance.now();
    for (const part of this.parts) {
      if (part.dueAt > startedAt + EARLY_MS) continue;
      if (performance.now() - startedAt > BUDGET_MS) {
        this.request();
        return;
      }
      draw(part, startedAt);
    }
  }
}

function draw(part: Turn, now: number): void {
  part.dueAt = NEVER;
  part.drawnAt = now;
  part.draw();
}

interface Turn {
  readonly draw: () => void;
  /** By `performance.now`. */
  dueAt: number;
  drawnAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;
