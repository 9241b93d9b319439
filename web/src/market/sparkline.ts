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
    const newest = this.points.at(-1);
    if (newest === undefined) return "";
    const oldest = newest.step - SPARKLINE_POINTS + 1;
    const points = this.points.filter(({ step }) => step >= oldest);
    const prices = points.map(({ price }) => price);
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const scale = high > low ? height / (high - low) : 0;
    const middle = scale === 0 ? height / 2 : 0;
    return points
      .map(({ step, price, isAfterBreak }, at) => {
        const x = ((step - oldest) / (SPARKLINE_POINTS - 1)) * width;
        const y = middle + (high - price) * scale;
        return `${at === 0 || isAfterBreak ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join("");
  }

  /** Last price minus first price. */
  get change(): number {
    return (this.points.at(-1)?.price ?? 0) - (this.points[0]?.price ?? 0);
  }
}
