/** Handle of a scheduled part of the page. However often it is invalidated, it is drawn once. */
export interface Invalidation {
  /** Data changed: draw at the part's next slot. */
  readonly invalidate: () => void;
  /** The user acted: draw in the next frame. */
  readonly invalidateNow: () => void;
}

/** Time budget for drawing in one frame: half of 16.7 ms, because style, layout and paint follow. */
const BUDGET_MS = 8;

/** Tolerance for timers and frames that fire early. */
const EARLY_MS = 2;

/** Length of a slot. Ten updates per second are as many as anyone can read. */
const SLOT_MS = 100;

/**
 * Draws each part of the page at a limited rate.
 *
 * All parts share slots of 100 ms, and so share frames: a frame costs style, layout and paint however little changed.
 * A part that was idle is drawn at once. If drawing exceeds the frame's time budget, the remaining parts are drawn in
 * the next frame; none is postponed twice, because the parts already drawn are not due again so soon.
 *
 * A hidden tab has no frames, so nothing is drawn unless a panel is in a window of its own that is visible.
 */
export class FrameScheduler {
  private readonly parts: Part[] = [];
  /** The windows of the page. One of them is visible while any part can be seen, and has frames. */
  private readonly windows = new Set<Pick<Window, "requestAnimationFrame">>([globalThis]);
  private isRequested = false;

  /** Adds a part that is drawn at most once per `slots` slots. */
  add(slots: number, draw: () => void): Invalidation {
    const part: Part = { draw, dueAt: NEVER, drawnAt: Number.NEGATIVE_INFINITY };
    this.parts.push(part);
    return {
      invalidate: () => {
        if (part.dueAt !== NEVER) return;
        part.dueAt = (Math.round(part.drawnAt / SLOT_MS) + slots) * SLOT_MS;
        const waitMs = part.dueAt - performance.now();
        if (waitMs <= 0) this.request();
        else setTimeout(this.request, waitMs);
      },
      invalidateNow: () => {
        part.dueAt = 0;
        this.request();
      },
    };
  }

  /** Draws all invalid parts now, so that all parts show the same moment. */
  flush(): void {
    const now = performance.now();
    for (const part of this.parts) {
      if (part.dueAt !== NEVER) draw(part, now);
    }
  }

  /** Draws in the frames of this window too, for panels that are in it. */
  addWindow(window: Window): void {
    this.windows.add(window);
    this.requestFrames();
  }

  removeWindow(window: Window): void {
    this.windows.delete(window);
  }

  private readonly request = (): void => {
    if (this.isRequested) return;
    this.isRequested = true;
    this.requestFrames();
  };

  /** The first window that has a frame draws. */
  private requestFrames(): void {
    for (const window of this.windows) {
      window.requestAnimationFrame(() => {
        if (!this.isRequested) return;
        this.isRequested = false;
        this.drawDue();
      });
    }
  }

  private drawDue(): void {
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

function draw(part: Part, now: number): void {
  part.dueAt = NEVER;
  part.drawnAt = now;
  part.draw();
}

interface Part {
  readonly draw: () => void;
  /** In `performance.now` time; `NEVER` if the part is valid. */
  dueAt: number;
  drawnAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;
