import { millis, type HistoryClient, type Millis, type Timeframe } from "@tapecast/client";
import { MAX_BARS, type IntervalSeconds, type SymbolBars } from "../market";

const TIMEFRAMES: Readonly<Record<IntervalSeconds, Timeframe>> = { 1: "1Sec", 5: "5Sec", 60: "1Min", 300: "5Min", 900: "15Min", 3_600: "1Hour", 86_400: "1Day" };

/** Bars of the first request: as many as a wide chart shows. */
const FIRST_BARS = 600;
/** Bars of each request for older ones. */
const OLDER_BARS = 1_000;

/** After a failed request for older bars, none follows for this time. */
const RETRY_MS = 5_000;

/** A finished bar is available by REST after this delay. */
export const SETTLE_MS = 400;

/**
 * Loads the bars of one chart and merges them with live data.
 *
 * They are requested when the chart shows them, again at its first live trade, and once more when the bar of that trade
 * is finished. After that every bar is complete, without duplicates.
 */
export class BarHistory {
  private readonly history: HistoryClient;
  private readonly now: () => Millis;
  private readonly onChange: () => void;
  private bars: SymbolBars | undefined;
  private interval: IntervalSeconds = 1;
  /** The first live bar for which history was requested. */
  private requestedFor: Millis | undefined;
  /** True once history was requested after that bar finished. */
  private isSettled = false;
  private isLoadingOlder = false;
  private hasOlder = true;
  private retryAt = 0;

  constructor(history: HistoryClient, now: () => Millis, onChange: () => void) {
    this.history = history;
    this.now = now;
    this.onChange = onChange;
  }

  /** True when the first bar is the first of all that the server has. */
  get isComplete(): boolean {
    return !this.hasOlder;
  }

  /** Loads the bars of a symbol and an interval, and follows them from now on. */
  follow(bars: SymbolBars | undefined, interval: IntervalSeconds): void {
    this.bars = bars;
    this.interval = interval;
    this.isLoadingOlder = false;
    this.hasOlder = true;
    this.retryAt = 0;
    this.requestedFor = bars?.get(interval)?.firstLiveBar;
    this.isSettled = false;
    void this.load();
  }

  /** Requests the first live bar again when due. To be called a few times per second. */
  tick(): void {
    const series = this.bars?.get(this.interval);
    if (series?.firstLiveBar === undefined) return;
    const isFinished = this.now() > series.firstLiveBar + series.intervalMs + SETTLE_MS;
    if (series.firstLiveBar === this.requestedFor && (this.isSettled || !isFinished)) return;
    this.requestedFor = series.firstLiveBar;
    this.isSettled = isFinished;
    void this.load();
  }

  /** Loads the bars before the first one, when the user scrolls near it. */
  async loadOlder(): Promise<void> {
    const { bars, interval } = this;
    const series = bars?.get(interval);
    const oldest = series?.oldest;
    if (bars === undefined || series === undefined || oldest === undefined || this.isLoadingOlder || !this.hasOlder) return;
    // More would be dropped again.
    if (series.all.length + OLDER_BARS > MAX_BARS || this.now() < this.retryAt) return;
    this.isLoadingOlder = true;
    const older = await this.history.barsBefore(bars.symbol, TIMEFRAMES[interval], oldest, OLDER_BARS);
    if (bars !== this.bars || interval !== this.interval) return;
    this.isLoadingOlder = false;
    if (older === undefined) this.retryAt = this.now() + RETRY_MS;
    else if (older.length === 0) this.hasOlder = false;
    else bars.mergeHistory(interval, older, oldest);
    this.onChange();
  }

  private async load(): Promise<void> {
    const { bars, interval } = this;
    if (bars === undefined) return;
    const requestedAt = this.now();
    const end = millis(requestedAt + interval * 1_000);
    const history = await this.history.barsBefore(bars.symbol, TIMEFRAMES[interval], end, FIRST_BARS);
    if (history === undefined || history.length === 0 || bars !== this.bars) return;
    bars.mergeHistory(interval, history, millis(requestedAt - SETTLE_MS));
    this.onChange();
  }
}
