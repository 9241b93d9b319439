import type { Millis, Ohlc, Price } from "@tapecast/client";

/** Distance of two points. */
export const SPARKLINE_STEP_MS = 5_000;

/** Maximum number of points: five minutes. */
export const SPARKLINE_POINTS = 60;

interface Point {
  readonly step: number;
  price: Price;
  /** The prices between the previous point and this one are unknown, not absent. */
  readonly isAfterBreak: boolean;
}

/** The recent prices of one symbol, one point per step. Steps without trades have no point. */
export class Sparkline {
  private points: Point[] = [];
  private changes = 0;
  private isInterrupted = false;

  /** Increases with each change. */
  get revision(): number {
    return this.changes;
  }

  add(time: Millis, price: Price): void {
    const step = Math.floor(time / SPARKLINE_STEP_MS);
    const newest = this.points.at(-1);
    if (newest !== undefined && step <= newest.step) {
      if (step < newest.step || newest.price === price) return;
      newest.price = price;
    } else {
      this.points.push({ step, price, isAfterBreak: this.isInterrupted });
      this.isInterrupted = false;
      if (this.points.length > SPARKLINE_POINTS) this.points.shift();
    }
    this.changes += 1;
  }

  /** Prices from now until the next one are unknown: the line breaks there until history fills it. */
  interrupt(): void {
    this.isInterrupted = this.points.length > 0;
  }

  /** Inserts the closes of historical bars where no point is. */
  mergeHistory(bars: readonly Ohlc[]): void {
    if (bars.length === 0) return;
    const known = new Set(this.points.map(({ step }) => step));
    const past = bars.map(({ time, close }) => ({ step: Math.floor(time / SPARKLINE_STEP_MS), price: close, isAfterBreak: false }));
    const own = this.points.map(({ step, price }) => ({ step, price, isAfterBreak: false }));
    this.points = [...past.filter(({ step }) => !known.has(step)), ...own].sort((a, b) => a.step - b.step).slice(-SPARKLINE_POINTS);
    this.changes += 1;
  }

  /** An SVG path in a box of this size: newest price at the right edge, highest at the top. */
  path(width: number, height: number): string {
    const { points, oldest } = this.visible;
    const yOf = scaleOf(points, height);
    return points
      .map(({ step, price, isAfterBreak }, at) => {
        const x = ((step - oldest) / (SPARKLINE_POINTS - 1)) * width;
        return `${at === 0 || isAfterBreak ? "M" : "L"}${x.toFixed(1)},${yOf(price).toFixed(1)}`;
      })
      .join("");
  }

  /**
   * The distance of a reference price from the top of the box of `path`; undefined without a line. A price above or below
   * the line's is at that edge: a day's change is mostly far larger than that of the line, which would be flat on its scale.
   */
  levelOf(reference: Price, height: number): number | undefined {
    const { points } = this.visible;
    if (points.length === 0) return undefined;
    return Math.min(height, Math.max(0, scaleOf(points, height)(reference)));
  }

  private get visible(): { readonly points: readonly Point[]; readonly oldest: number } {
    const oldest = (this.points.at(-1)?.step ?? 0) - SPARKLINE_POINTS + 1;
    return { points: this.points.filter(({ step }) => step >= oldest), oldest };
  }

  /** Last price minus first price. */
  get change(): number {
    return (this.points.at(-1)?.price ?? 0) - (this.points[0]?.price ?? 0);
  }
}

/** Maps the prices of a line to a height: the highest to the top. A constant price is in the middle. */
function scaleOf(points: readonly Point[], height: number): (price: Price) => number {
  const prices = points.map(({ price }) => price);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  if (high > low) return (price) => ((high - price) * height) / (high - low);
  return (price) => (price === high ? height / 2 : price > high ? 0 : height);
}
