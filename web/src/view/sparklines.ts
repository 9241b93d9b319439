import type { Price } from "@tapecast/client";
import type { Sparkline } from "../market";
import { make, makeSvg, setData } from "./dom";
import type { Sign } from "./figure";

const WIDTH = 96;
const HEIGHT = 22;

/** Minimum time between two drawings of one sparkline. */
const MIN_INTERVAL_MS = 1_000;

/** Sparklines drawn per call. They are expensive: all of them in one frame would delay it. */
const BATCH_SIZE = 5;

/** Draws changed sparklines in the order in which they changed, a few per call. */
export class SparklineQueue {
  private readonly changed = new Set<SparklineView>();
  private readonly now: () => number;
  private readonly requestDraw: () => void;

  /** `requestDraw` is called while the queue is not empty; it has to lead to a call of `drawBatch`. */
  constructor(now: () => number, requestDraw: () => void) {
    this.now = now;
    this.requestDraw = requestDraw;
  }

  add(view: SparklineView): void {
    this.changed.add(view);
    this.requestDraw();
  }

  /** Draws what changed at once, for a page that is printed. */
  drawAll(): void {
    const now = this.now();
    for (const view of this.changed) view.draw(now);
    this.changed.clear();
  }

  drawBatch(): void {
    const now = this.now();
    let left = BATCH_SIZE;
    for (const view of this.changed) {
      if (now - view.drawnAt < MIN_INTERVAL_MS) continue;
      this.changed.delete(view);
      view.draw(now);
      left -= 1;
      if (left === 0) break;
    }
    if (this.changed.size > 0) this.requestDraw();
  }
}

/** The day that a sparkline is a part of: its colour and the price that this is measured from. */
export interface SparklineDay {
  readonly sign: Sign;
  readonly previousClose: Price | undefined;
}

/** The sparkline of one symbol as an SVG path, over a dotted line at the previous close. */
export class SparklineView {
  readonly node: HTMLElement;
  drawnAt = Number.NEGATIVE_INFINITY;
  private readonly line = makeSvg("path", {});
  private readonly close = makeSvg("path", { class: "sparkline-close" });
  private readonly queue: SparklineQueue;
  private sparkline: Sparkline | undefined;
  private previousClose: Price | undefined;
  private revision = -1;

  constructor(queue: SparklineQueue) {
    this.queue = queue;
    const svg = makeSvg("svg", { preserveAspectRatio: "none", viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, "aria-hidden": "true" }, this.close, this.line);
    this.node = make("span", "sparkline", svg);
  }

  show(sparkline: Sparkline, { sign, previousClose }: SparklineDay): void {
    this.sparkline = sparkline;
    setData(this.node, "sign", sign);
    if (sparkline.revision === this.revision && previousClose === this.previousClose) return;
    this.previousClose = previousClose;
    this.queue.add(this);
  }

  draw(now: number): void {
    if (this.sparkline === undefined) return;
    this.drawnAt = now;
    this.revision = this.sparkline.revision;
    this.line.setAttribute("d", this.sparkline.path(WIDTH, HEIGHT));
    const level = this.previousClose === undefined ? undefined : this.sparkline.levelOf(this.previousClose, HEIGHT);
    this.close.setAttribute("d", level === undefined ? "" : `M0,${level.toFixed(1)}H${WIDTH}`);
  }
}
