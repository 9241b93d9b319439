import type { Millis } from "@tapecast/client";
import type { ChartUpdate } from "../bar-series";
import { indexUntil } from "../partition-point";
import type { Indicator } from "./indicator";

/** A value at a bar; undefined where there is none. */
export interface Point {
  readonly time: Millis;
  readonly value: number | undefined;
}

/** The points to draw, as a `ChartUpdate` has bars. */
export interface PointUpdate {
  readonly kind: ChartUpdate["kind"];
  readonly points: readonly Point[];
}

/** The values of an indicator at the bars of a chart, kept in step with what the chart draws. */
export class IndicatorSeries {
  private readonly start: Indicator;
  private points: Point[] = [];
  /** The indicator before the last bar, which may still change, and after it. */
  private before: Indicator;
  private after: Indicator;

  /** `start` is the indicator before the first bar. */
  constructor(start: Indicator) {
    this.start = start;
    this.before = start;
    this.after = start;
  }

  /** Applies what a chart is going to draw. The last bar is computed again, and all only if all are drawn. */
  apply(update: ChartUpdate): PointUpdate {
    if (update.kind === "none") return { kind: "none", points: [] };
    if (update.kind === "all") {
      this.points = [];
      this.before = this.start;
      this.after = this.start;
    }
    const points = update.bars.map((bar) => {
      if (bar.time === this.points.at(-1)?.time) this.points.pop();
      else this.before = this.after;
      this.after = this.before.next(bar);
      const point = { time: bar.time, value: this.after.value };
      this.points.push(point);
      return point;
    });
    return { kind: update.kind, points };
  }

  /** The value at the bar of this time. */
  valueAt(time: number): number | undefined {
    const point = this.points[indexUntil(this.points, time)];
    return point?.time === time ? point.value : undefined;
  }
}
