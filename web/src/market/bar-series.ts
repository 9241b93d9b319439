import { millis, shares, type Millis, type Ohlc, type Trade } from "@tapecast/client";

/** The bars to draw. */
export type ChartUpdate =
  | { readonly kind: "none" }
  /** The last bar drawn, changed, and the bars after it. */
  | { readonly kind: "tail"; readonly bars: readonly Ohlc[] }
  | { readonly kind: "all"; readonly bars: readonly Ohlc[] };

/** Maximum number of bars: more than anyone scrolls back through. Bounds the memory of a chart. */
export const MAX_BARS = 20_000;

/** Number of oldest bars dropped at once, because dropping redraws the whole chart. */
const DROP = 1_000;

/** `firstChange` if no bar changed. */
const NO_CHANGE = Number.POSITIVE_INFINITY;

/** `firstChange` if bars were inserted, so that all indices changed. */
const ALL_CHANGED = -1;

/** `completeFrom` before the first live trade. */
const NEVER = millis(Number.POSITIVE_INFINITY);

/**
 * The bars of one symbol and one interval, oldest first, at most one per interval.
 *
 * Live trades are folded into bars. A bar is complete if every trade since its start arrived live. History is merged by
 * one rule: it fills and replaces incomplete bars and leaves complete bars alone.
 */
export class BarSeries {
  readonly intervalMs: number;
  private bars: Ohlc[] = [];
  /** Bars that start here or later are complete. */
  private completeFrom: Millis = NEVER;
  /** Historical bars that ended by this time are final: they contain all their trades. */
  private finalUntil = Number.NEGATIVE_INFINITY;
  /** Index of the oldest change since the last drawing. */
  private firstChange = NO_CHANGE;
  /** Number of bars at the last drawing. */
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

  /** Start of the bar in which the live stream began, which only history can complete. Undefined before the first live trade. */
  get firstLiveBar(): Millis | undefined {
    return this.completeFrom === NEVER ? undefined : millis(this.completeFrom - this.intervalMs);
  }

  /** Every trade from this time on arrives live. Ignored if that is already the case. */
  markLive(since: Millis): void {
    if (this.completeFrom === NEVER) this.completeFrom = millis(this.startOf(since) + this.intervalMs);
  }

  /** Trades were lost: bars are incomplete until the next `markLive`. */
  markIncomplete(): void {
    this.completeFrom = NEVER;
  }

  /** Adds a trade to the bar of its time, opening one if necessary. */
  addTrade({ price, size, time }: Trade): void {
    const start = this.startOf(time);
    // A conflated trade can arrive after the final historical bar that contains it.
    if (start < this.completeFrom && start + this.intervalMs <= this.finalUntil) return;
    const at = this.indexOf(start);
    const bar = this.bars[at];
    const updated =
      bar?.time === start
        ? {
            ...bar,
            high: price > bar.high ? price : bar.high,
            low: price < bar.low ? price : bar.low,
            close: price,
            volume: shares(bar.volume + size),
          }
        : { time: start, open: price, high: price, low: price, close: price, volume: size };
    this.set(at, updated);
  }

  /** Puts a bar computed by the server, replacing ours. */
  putBar(bar: Ohlc): void {
    const start = this.startOf(bar.time);
    const { open, high, low, close, volume } = bar;
    this.set(this.indexOf(start), { time: start, open, high, low, close, volume });
  }

  /**
   * Merges historical bars; those that ended by `finalUntil` are final. Intervals from `completeFrom` on are skipped even
   * if they have no bar here: their trades are in flight and would be counted twice.
   */
  mergeHistory(history: readonly Ohlc[], finalUntil: Millis): void {
    const merged = new Map(this.bars.map((bar) => [bar.time, bar]));
    for (const bar of history) {
      const start = this.startOf(bar.time);
      if (start < this.completeFrom) merged.set(start, { ...bar, time: start });
    }
    this.finalUntil = Math.max(this.finalUntil, finalUntil);
    this.bars = [...merged.values()].sort((a, b) => a.time - b.time).slice(-MAX_BARS);
    this.firstChange = ALL_CHANGED;
  }

  /** Returns the changes since the last call and marks them as drawn. */
  takeUpdate(): ChartUpdate {
    const { firstChange, drawn } = this;
    if (firstChange === NO_CHANGE) return { kind: "none" };
    if (drawn === 0 || firstChange < drawn - 1) return this.takeAll();
    this.markDrawn();
    return { kind: "tail", bars: this.bars.slice(firstChange) };
  }

  /** Returns all bars and marks them as drawn. */
  takeAll(): ChartUpdate {
    this.markDrawn();
    return { kind: "all", bars: this.bars };
  }

  private markDrawn(): void {
    this.firstChange = NO_CHANGE;
    this.drawn = this.bars.length;
  }

  /** The start of the bar at this time. A daily bar carries the start of the trading day itself. */
  private startOf(time: Millis): Millis {
    return this.intervalMs >= DAY_MS ? time : millis(time - (time % this.intervalMs));
  }

  /** The index of the bar with this start, or where to insert it. Searches from the end, where it nearly always is. */
  private indexOf(start: Millis): number {
    let at = this.bars.length;
    for (let bar = this.bars[at - 1]; bar !== undefined && bar.time >= start; bar = this.bars[at - 1]) at -= 1;
    return at;
  }

  private set(at: number, bar: Ohlc): void {
    const existing = this.bars[at];
    const isReplaced = existing?.time === bar.time;
    const isInserted = existing !== undefined && !isReplaced;
    this.bars.splice(at, isReplaced ? 1 : 0, bar);
    this.firstChange = isInserted ? ALL_CHANGED : Math.min(this.firstChange, at);
    if (this.bars.length > MAX_BARS) {
      this.bars.splice(0, DROP);
      this.firstChange = ALL_CHANGED;
    }
  }
}

export const DAY_MS = 86_400_000;
