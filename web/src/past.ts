import type { HistoryClient } from "./client";
import { SPARK_POINTS, SPARK_STEP_MS, type Board, type Charts, type IntervalSeconds, type Tape } from "./market";
import { millis, type Millis, type StockSymbol } from "./model";
import type { Timeframe } from "./wire";

const TIMEFRAMES: Readonly<Record<IntervalSeconds, Timeframe>> = { 1: "1Sec", 5: "5Sec", 60: "1Min", 300: "5Min", 86_400: "1Day" };

/** What a wide chart shows at once; then what a reader who scrolls back gets at a time. */
const FIRST_BARS = 600;
const OLDER_BARS = 1_000;

/** Lines that fill a tape before the first live trade. */
const FIRST_TRADES = 200;
const FIRST_TRADES_MS = 3_600_000;

/** So many symbols at once, each with the bars of its sparkline, fit into one page of the server's. */
const SPARKS_PER_PAGE = 100;

/** A bar that is over may still be on its way into the server's memory. */
const SETTLE_MS = 400;

/**
 * Joins what was to what comes. Bars are asked for when a chart is shown, again when its first live trade
 * has come, and once more when the bar of that trade is over: then every bar is whole, and none is there twice.
 */
export class Past {
  private readonly history: HistoryClient;
  private readonly now: () => Millis;
  private readonly changed: () => void;
  private charts: Charts | undefined;
  private interval: IntervalSeconds = 1;
  /** The bar in which the live stream began, as far as it has been asked about. */
  private joint: Millis | undefined;
  private isSettled = false;
  private isLoadingOlder = false;
  private hasOlder = true;

  constructor(history: HistoryClient, now: () => Millis, changed: () => void) {
    this.history = history;
    this.now = now;
    this.changed = changed;
  }

  /** Another chart, or another interval of it. */
  follow(charts: Charts | undefined, interval: IntervalSeconds): void {
    this.charts = charts;
    this.interval = interval;
    this.isLoadingOlder = false;
    this.hasOlder = true;
    this.joint = charts?.of(interval)?.joint;
    this.isSettled = false;
    void this.load();
  }

  /** Looks, a few times a second, whether the joint has to be filled. */
  tick(): void {
    const series = this.charts?.of(this.interval);
    if (series?.joint === undefined) return;
    const isOver = this.now() > series.joint + series.intervalMs + SETTLE_MS;
    if (series.joint === this.joint && (this.isSettled || !isOver)) return;
    this.joint = series.joint;
    this.isSettled = isOver;
    void this.load();
  }

  /** The reader nears the first bar. */
  async older(): Promise<void> {
    const { charts, interval } = this;
    const oldest = charts?.of(interval)?.oldest;
    if (charts === undefined || oldest === undefined || this.isLoadingOlder || !this.hasOlder) return;
    this.isLoadingOlder = true;
    const bars = await this.history.barsBefore(charts.symbol, TIMEFRAMES[interval], oldest, OLDER_BARS);
    if (charts !== this.charts || interval !== this.interval) return;
    this.isLoadingOlder = false;
    this.hasOlder = bars !== undefined && bars.length > 0;
    if (!this.hasOlder) return;
    charts.remember(interval, bars ?? [], oldest);
    this.changed();
  }

  async sparks(board: Board, symbols: readonly StockSymbol[]): Promise<void> {
    const since = millis(this.now() - SPARK_POINTS * SPARK_STEP_MS);
    for (let at = 0; at < symbols.length; at += SPARKS_PER_PAGE) {
      const bars = await this.history.barsSince(symbols.slice(at, at + SPARKS_PER_PAGE), "5Sec", since);
      for (const [symbol, list] of bars) board.remember(symbol, list);
      this.changed();
    }
  }

  /** The trades since the newest line of a tape, or the last ones for a tape that is empty; answers how many it lacked. */
  async tape(tape: Tape): Promise<number> {
    const newest = tape.newest;
    const start = newest?.time ?? millis(this.now() - FIRST_TRADES_MS);
    const trades = await this.history.trades(tape.symbol, start, millis(this.now() + SETTLE_MS), newest === undefined ? FIRST_TRADES : undefined);
    const healed = tape.heal(trades ?? []);
    if (healed > 0) this.changed();
    return healed;
  }

  private async load(): Promise<void> {
    const { charts, interval } = this;
    if (charts === undefined) return;
    const askedAt = this.now();
    const end = millis(askedAt + interval * 1_000);
    const bars = await this.history.barsBefore(charts.symbol, TIMEFRAMES[interval], end, FIRST_BARS);
    if (bars === undefined || bars.length === 0 || charts !== this.charts) return;
    charts.remember(interval, bars, millis(askedAt - SETTLE_MS));
    this.changed();
  }
}
