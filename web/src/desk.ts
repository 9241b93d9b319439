import type { Client, Gap } from "./client";
import { Board, Charts, Feed, Meter, Speed, Tape, type IntervalSeconds, type Lists } from "./market";
import type { MarketEvent, Millis, StockSymbol } from "./model";
import type { Past } from "./past";
import type { StreamSelection } from "./wire";

/** What the board needs of each of its symbols: one object that says it all, and whether it is halted. */
const BOARD_CHANNELS = ["tickers", "statuses"] as const;

/** What the chart and the tape need besides, of the one symbol that is selected. */
const FOCUS_CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars"] as const;

/** All that is known of the market, kept in step with what is watched: subscriptions out, events in. */
export class Desk {
  readonly board = new Board();
  readonly feed = new Feed();
  readonly meter = new Meter();
  readonly speed = new Speed();
  charts: Charts | undefined;
  tape: Tape | undefined;
  newestGap: Gap | undefined;
  private readonly client: Client;
  private readonly past: Past;
  private readonly now: () => Millis;
  private watched: readonly StockSymbol[] = [];

  constructor(client: Client, past: Past, now: () => Millis) {
    this.client = client;
    this.past = past;
    this.now = now;
  }

  /** Watches the symbols of a list: what is new is subscribed to, what is gone is not any more. */
  watch({ symbols }: Lists): void {
    const [before, after] = [new Set(this.watched), new Set(symbols)];
    const gone = this.watched.filter((symbol) => !after.has(symbol));
    const added = symbols.filter((symbol) => !before.has(symbol));
    for (const symbol of gone) this.board.unwatch(symbol);
    for (const symbol of added) this.board.watch(symbol);
    this.client.unsubscribe(wants(BOARD_CHANNELS, gone));
    this.client.subscribe(wants(BOARD_CHANNELS, added));
    this.watched = [...symbols];
    void this.past.sparks(this.board, added);
  }

  /** Another symbol has the chart and the tape; answers whether it is another. */
  focus(symbol: StockSymbol | undefined, interval: IntervalSeconds): boolean {
    if (symbol === this.charts?.symbol && symbol !== undefined) return false;
    if (this.charts !== undefined) this.client.unsubscribe(wants(FOCUS_CHANNELS, [this.charts.symbol]));
    this.charts = symbol === undefined ? undefined : new Charts(symbol);
    this.tape = symbol === undefined ? undefined : new Tape(symbol);
    if (symbol !== undefined) this.client.subscribe(wants(FOCUS_CHANNELS, [symbol]));
    this.past.follow(this.charts, interval);
    if (this.tape !== undefined) void this.past.tape(this.tape);
    return true;
  }

  apply(events: readonly MarketEvent[], receivedAt: Millis): void {
    this.feed.event(receivedAt);
    for (const event of events) {
      this.board.apply(event);
      this.charts?.apply(event);
      this.tape?.apply(event);
      this.meter.count(event, receivedAt);
    }
  }

  /** Something is missing. Of the trades on the screen history may know it. */
  miss(gap: Gap): void {
    this.newestGap = gap;
    this.feed.miss(gap.to - gap.from + 1, this.now());
    if (gap.channel !== "trades" || gap.symbol !== this.tape?.symbol) return;
    const { tape } = this;
    const asked = this.past.tape(tape);
    tape.miss(gap.to - gap.from + 1);
    this.charts?.broken();
    void asked.then((healed) => {
      if (healed > 0) this.feed.healed();
    });
  }

  /** A server that begins anew: what happened while nobody was there, it may know. */
  restart(interval: IntervalSeconds): void {
    this.charts?.broken();
    this.past.follow(this.charts, interval);
    void this.past.sparks(this.board, this.watched);
    if (this.tape !== undefined) void this.past.tape(this.tape);
  }
}

function wants(channels: readonly (keyof StreamSelection)[], symbols: readonly StockSymbol[]): StreamSelection {
  return Object.fromEntries(channels.map((channel) => [channel, symbols]));
}
