import { millis, shares, type Millis, type Ohlc, type Trade } from "../model";

/** What has to be drawn again. */
export type Redraw =
  | { readonly what: "nothing" }
  /** The newest bar drawn, changed, and those after it. */
  | { readonly what: "tail"; readonly bars: readonly Ohlc[] }
  | { readonly what: "all"; readonly bars: readonly Ohlc[] };

/** 25 minutes of seconds, two hours of five seconds, a day of minutes: what a page can hold of fifty symbols. */
export const MAX_BARS = 1_500;

/** When the oldest are dropped, so many at a time: the whole chart has to be drawn again for it. */
const DROP = 250;

/** No bar changed. */
const NOWHERE = Number.POSITIVE_INFINITY;

/** Bars moved: all places changed. */
const EVERYWHERE = -1;

/**
 * The bars of one symbol and one interval, oldest first, at most one per interval.
 *
 * Trades are folded in one by one; a whole bar, from the stream or from history, is `put` in its
 * place and taken at its word.
 */
export class Series {
  readonly intervalMs: number;
  private readonly bars: Ohlc[] = [];
  /** Where the oldest change since the last drawing is. */
  private firstChange = NOWHERE;
  /** How many bars there were at the last drawing. */
  private drawn = 0;

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  get all(): readonly Ohlc[] {
    return this.bars;
  }

  /** Folds a trade into the bar of its time, opening one if there is none. */
  fold({ price, size, time }: Trade): void {
    const start = this.startOf(time);
    const at = this.placeOf(start);
    const bar = this.bars[at];
    const folded =
      bar?.time === start
        ? {
            ...bar,
            high: price > bar.high ? price : bar.high,
            low: price < bar.low ? price : bar.low,
            close: price,
            volume: shares(bar.volume + size),
          }
        : { time: start, open: price, high: price, low: price, close: price, volume: size };
    this.set(at, folded);
  }

  /** Puts a whole bar in its place, over whatever was folded there. */
  put(bar: Ohlc): void {
    const start = this.startOf(bar.time);
    const { open, high, low, close, volume } = bar;
    this.set(this.placeOf(start), { time: start, open, high, low, close, volume });
  }

  /** What to draw, for somebody who has drawn all that earlier calls answered. */
  takeRedraw(): Redraw {
    const { firstChange, drawn } = this;
    if (firstChange === NOWHERE) return { what: "nothing" };
    this.redrawn();
    if (drawn === 0 || firstChange < drawn - 1) return { what: "all", bars: this.bars };
    return { what: "tail", bars: this.bars.slice(firstChange) };
  }

  /** Everything, for somebody who has drawn nothing yet. */
  takeAll(): Redraw {
    this.redrawn();
    return { what: "all", bars: this.bars };
  }

  private redrawn(): void {
    this.firstChange = NOWHERE;
    this.drawn = this.bars.length;
  }

  private startOf(time: Millis): Millis {
    return millis(time - (time % this.intervalMs));
  }

  /** Where the bar with this start is or belongs. Searched from the newest: that is where it nearly always is. */
  private placeOf(start: Millis): number {
    let at = this.bars.length;
    for (let bar = this.bars[at - 1]; bar !== undefined && bar.time >= start; bar = this.bars[at - 1]) at -= 1;
    return at;
  }

  private set(at: number, bar: Ohlc): void {
    const there = this.bars[at];
    const replaces = there?.time === bar.time;
    const moves = there !== undefined && !replaces;
    this.bars.splice(at, replaces ? 1 : 0, bar);
    this.firstChange = moves ? EVERYWHERE : Math.min(this.firstChange, at);
    if (this.bars.length > MAX_BARS) {
      this.bars.splice(0, DROP);
      this.firstChange = EVERYWHERE;
    }
  }
}
