import type { Millis, Ohlc, Price } from "../model";

/** One point for each so many milliseconds. */
export const SPARK_STEP_MS = 5_000;

/** Five minutes. */
export const SPARK_POINTS = 60;

interface Point {
  readonly step: number;
  price: Price;
}

/** The last prices of one symbol, thinned to what a small line can show; nothing is known of steps without trades. */
export class Spark {
  private points: Point[] = [];
  private changes = 0;

  /** Rises with each change of the line. */
  get revision(): number {
    return this.changes;
  }

  add(time: Millis, price: Price): void {
    const step = Math.floor(time / SPARK_STEP_MS);
    const newest = this.points.at(-1);
    if (newest !== undefined && step <= newest.step) {
      if (step < newest.step || newest.price === price) return;
      newest.price = price;
    } else {
      this.points.push({ step, price });
      if (this.points.length > SPARK_POINTS) this.points.shift();
    }
    this.changes += 1;
  }

  /** Puts what was before the oldest point in front of it. */
  remember(bars: readonly Ohlc[]): void {
    const first = this.points[0]?.step ?? Number.POSITIVE_INFINITY;
    const older = bars.map(({ time, close }) => ({ step: Math.floor(time / SPARK_STEP_MS), price: close }));
    this.points = [...older.filter(({ step }) => step < first), ...this.points].slice(-SPARK_POINTS);
    this.changes += 1;
  }

  /** The line inside a box, as points of an SVG polyline: the newest price at the right, the highest at the top. */
  line(width: number, height: number): string {
    const newest = this.points.at(-1);
    if (newest === undefined) return "";
    const oldest = newest.step - SPARK_POINTS + 1;
    const points = this.points.filter(({ step }) => step >= oldest);
    const prices = points.map(({ price }) => price);
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const scale = high > low ? height / (high - low) : 0;
    const middle = scale === 0 ? height / 2 : 0;
    return points
      .map(({ step, price }) => {
        const x = ((step - oldest) / (SPARK_POINTS - 1)) * width;
        const y = middle + (high - price) * scale;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(" ");
  }

  /** Whether the line ends above or below where it began. */
  get rise(): number {
    return (this.points.at(-1)?.price ?? 0) - (this.points[0]?.price ?? 0);
  }
}
