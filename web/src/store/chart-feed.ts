import type { BarSeries, IntervalSeconds, SymbolBars } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { BarHistory } from "./bar-history";

/** What a feed needs from the store. */
export interface ChartFeedHost {
  /** The bars of a symbol, which follow the stream until `release`. */
  readonly follow: (symbol: StockSymbol) => { readonly bars: SymbolBars; readonly release: () => void };
  readonly history: BarHistory;
}

/** The bars of one chart: live and from history, of one symbol and interval at a time. */
export class ChartFeed {
  private readonly host: ChartFeedHost;
  private followed: ReturnType<ChartFeedHost["follow"]> | undefined;
  private interval: IntervalSeconds = 1;

  constructor(host: ChartFeedHost) {
    this.host = host;
  }

  get symbol(): StockSymbol | undefined {
    return this.followed?.bars.symbol;
  }

  get series(): BarSeries | undefined {
    return this.followed?.bars.get(this.interval);
  }

  /** Shows the bars of this symbol; of none if it is undefined. */
  show(symbol: StockSymbol | undefined, interval: IntervalSeconds): void {
    if (symbol === this.symbol && interval === this.interval && symbol !== undefined) return;
    this.interval = interval;
    if (symbol !== this.symbol) {
      // First the new one: a symbol that stays is not unsubscribed in between.
      const before = this.followed;
      this.followed = symbol === undefined ? undefined : this.host.follow(symbol);
      before?.release();
    }
    this.host.history.follow(this.followed?.bars, interval);
  }

  /** True when the first bar is the first of all that the server has. */
  get isComplete(): boolean {
    return this.host.history.isComplete;
  }

  /** Loads history again. */
  reload(): void {
    this.host.history.follow(this.followed?.bars, this.interval);
  }

  /** Trades were lost, of this symbol or of every one: history has to replace the bars built from them. */
  markIncomplete(symbol?: StockSymbol): void {
    if (symbol === undefined || symbol === this.symbol) this.followed?.bars.markIncomplete();
  }

  loadOlder(): void {
    void this.host.history.loadOlder();
  }

  tick(): void {
    this.host.history.tick();
  }

  /** Ends the subscription. `show` begins it again. */
  close(): void {
    this.followed?.release();
    this.followed = undefined;
    this.host.history.follow(undefined, this.interval);
  }
}
