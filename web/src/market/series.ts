import { millis, shares, type Millis, type Ohlc, type Trade } from "../model";

/** What has to be drawn again. */
export type Redraw =
  | { readonly what: "nothing" }
  /** The newest bar drawn, changed, and those after it. */
  | { readonly what: "tail"; readonly bars: readonly Ohlc[] }
  | { readonly what: "all"; readonly bars: readonly Ohlc[] };

/** More than a reader scrolls back through; it bounds what one chart can hold. */
export const MAX_BARS = 20_000;

/** When the oldest are dropped, so many at a time: the whole chart has to be drawn again for it. */
const DROP = 1_000;

/** No bar changed. */
const NOWHERE = Number.POSITIVE_INFINITY;

/** Bars moved: all places changed. */
const EVERYWHERE = -1;

/** Nothing that was folded here is whole: no trade has come live yet. */
const NEVER = millis(Number.POSITIVE_INFINITY);

/**
 * The bars of one symbol and one interval, oldest first, at most one per interval.
 *
 * Trades are folded in one by one. A bar is whole, and ours, when every trade since its beginning came
 * live; of all others history knows better. That is the whole of how the two are joined: history fills
 * and replaces what is not whole, and leaves alone what is.
 */
export class Series {
  readonly intervalMs: number;
  private bars: Ohlc[] = [];
  /** Bars that begin here or later are whole. */
  private wholeFrom: Millis = NEVER;
  /** Bars that ended up to here were over when history was asked: of those that are not ours it has every trade. */
  private finalUntil = Number.NEGATIVE_INFINITY;
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

  get oldest(): Millis | undefined {
    return this.bars[0]?.time;
  }

  /** The bar in which the live stream began: once it is over, history has it whole. Undefined while nothing is live. */
  get joint(): Millis | undefined {
    return this.wholeFrom === NEVER ? undefined : millis(this.wholeFrom - this.intervalMs);
  }

  /** From now on every trade will come; the one at this time was the first. */
  live(since: Millis): void {
    if (this.wholeFrom === NEVER) this.wholeFrom = millis(this.startOf(since) + this.intervalMs);
  }

  /** Trades are missing: what comes next is a new beginning. */
  broken(): void {
    this.wholeFrom = NEVER;
  }

  /** Folds a trade into the bar of its time, opening one if there is none. */
  fold({ price, size, time }: Trade): void {
    const start = this.startOf(time);
    // At a slow pace a trade may come later than the bar that history made of it.
    if (start < this.wholeFrom && start + this.intervalMs <= this.finalUntil) return;
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

  /**
   * What was, as far as it is not known better here; what ended by `finalUntil` will not change any more. Bars that are
   * whole are left alone even where we have none yet: their trades are on their way, and would be in them twice.
   */
  remember(history: readonly Ohlc[], finalUntil: Millis): void {
    const known = new Map(this.bars.map((bar) => [bar.time, bar]));
    for (const bar of history) {
      const start = this.startOf(bar.time);
      if (start < this.wholeFrom) known.set(start, { ...bar, time: start });
    }
    this.finalUntil = Math.max(this.finalUntil, finalUntil);
    this.bars = [...known.values()].sort((a, b) => a.time - b.time).slice(-MAX_BARS);
    this.firstChange = EVERYWHERE;
  }

  /** What to draw, for somebody who has drawn all that earlier calls answered. */
  takeRedraw(): Redraw {
    const { firstChange, drawn } = this;
    if (firstChange === NOWHERE) return { what: "nothing" };
    if (drawn === 0 || firstChange < drawn - 1) return this.takeAll();
    this.redrawn();
    return { what: "tail", bars: this.bars.slice(firstChange) };
  }

  /** All bars, for somebody who has drawn none of them. */
  takeAll(): Redraw {
    this.redrawn();
    return { what: "all", bars: this.bars };
  }

  private redrawn(): void {
    this.firstChange = NOWHERE;
    this.drawn = this.bars.length;
  }

  /** A day begins when the market says so: its bars bring their own beginning. */
  private startOf(time: Millis): Millis {
    return this.intervalMs >= DAY_MS ? time : millis(time - (time % this.intervalMs));
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

export const DAY_MS = 86_400_000;
