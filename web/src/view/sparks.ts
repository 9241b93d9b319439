import type { Sparkline } from "../market";
import { signOf } from "./cell";
import { make, makeSvg } from "./dom";

const WIDTH = 96;
const HEIGHT = 22;

/** A line that moves more often than this is not seen to move better. */
const EACH_MS = 1_000;

/** So many lines in one go: a line is dear, and all of them in one frame would hold it up. */
const AT_ONCE = 5;

/** The lines that have changed since they were drawn, in the order in which they did. Each has its turn, some at a time. */
export class Sparks {
  private readonly waiting = new Set<SparkLine>();
  private readonly now: () => number;
  private readonly waits: () => void;

  /** Calls back when there is something to be drawn. */
  constructor(now: () => number, waits: () => void) {
    this.now = now;
    this.waits = waits;
  }

  wait(line: SparkLine): void {
    this.waiting.add(line);
    this.waits();
  }

  drawSome(): void {
    const now = this.now();
    let left = AT_ONCE;
    for (const line of this.waiting) {
      if (now - line.drawnAt < EACH_MS) continue;
      this.waiting.delete(line);
      line.draw(now);
      left -= 1;
      if (left === 0) break;
    }
    if (this.waiting.size > 0) this.waits();
  }
}

/** The last minutes of one symbol, as a small line. */
export class SparkLine {
  readonly node: HTMLElement;
  drawnAt = Number.NEGATIVE_INFINITY;
  private readonly line = makeSvg("polyline", {});
  private readonly sparks: Sparks;
  private spark: Sparkline | undefined;
  private revision = -1;

  constructor(sparks: Sparks) {
    this.sparks = sparks;
    const svg = makeSvg("svg", { preserveAspectRatio: "none", viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, "aria-hidden": "true" }, this.line);
    this.node = make("span", "spark", svg);
  }

  show(spark: Sparkline): void {
    this.spark = spark;
    if (spark.revision !== this.revision) this.sparks.wait(this);
  }

  draw(now: number): void {
    if (this.spark === undefined) return;
    this.drawnAt = now;
    this.revision = this.spark.revision;
    this.line.setAttribute("points", this.spark.line(WIDTH, HEIGHT));
    const sign = signOf(this.spark.change);
    if (this.node.dataset["sign"] !== sign) this.node.dataset["sign"] = sign;
  }
}
