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

/**
 * Draws each part of the picture as often as eyes can use it, and no more: ten prices a second are read by nobody,
 * and each costs style, layout and paint. A part that was quiet for a while is drawn at once. What would make
 * a frame too long waits for the next; nobody waits twice, since who was drawn is not due again so soon.
 *
 * In a hidden tab there are no frames, and so nothing is drawn.
 */
export class Rhythm {
  private readonly parts: Turn[] = [];
  private isRequested = false;

  part(everyMs: number, draw: () => void): Part {
    const part: Turn = { everyMs, draw, dueAt: NEVER, drawnAt: -everyMs };
    this.parts.push(part);
    return {
      mark: () => {
        if (part.dueAt !== NEVER) return;
        part.dueAt = part.drawnAt + everyMs;
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
      part.dueAt = NEVER;
      part.drawnAt = startedAt;
      part.draw();
    }
  }
}

interface Turn {
  readonly everyMs: number;
  readonly draw: () => void;
  /** By `performance.now`. */
  dueAt: number;
  drawnAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;
