import type { Bar, MarketEvent, Price, Quote, Shares, StockSymbol, Trade } from "../model";

/** The figures of the day, or of the part of it that we saw. */
export interface Day {
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly volume: number;
  /**
   * `whole` once a daily bar told how the day began; until then only what was traded since the
   * page was opened is known, and the reader must be told.
   */
  readonly known: "whole" | "part";
}

/** What the board shows of one symbol. Undefined means: not heard yet. */
export interface Figures {
  last: Price | undefined;
  bid: Price | undefined;
  bidSize: Shares | undefined;
  ask: Price | undefined;
  askSize: Shares | undefined;
  day: Day | undefined;
}

/** The newest figures of every watched symbol, and which of them changed since they were last drawn. */
export class Board {
  private readonly figures = new Map<StockSymbol, Figures>();
  private readonly changed = new Set<StockSymbol>();

  watch(symbol: StockSymbol): void {
    if (this.figures.has(symbol)) return;
    this.figures.set(symbol, {
      last: undefined,
      bid: undefined,
      bidSize: undefined,
      ask: undefined,
      askSize: undefined,
      day: undefined,
    });
    this.changed.add(symbol);
  }

  unwatch(symbol: StockSymbol): void {
    this.figures.delete(symbol);
    this.changed.delete(symbol);
  }

  of(symbol: StockSymbol): Readonly<Figures> | undefined {
    return this.figures.get(symbol);
  }

  /** Takes note of an event; one of a symbol that is no longer watched is late and means nothing. */
  apply(event: MarketEvent): void {
    const figures = this.figures.get(event.symbol);
    if (figures === undefined) return;
    switch (event.channel) {
      case "trades":
        applyTrade(figures, event);
        break;
      case "quotes":
        applyQuote(figures, event);
        break;
      case "dailyBars":
        applyDay(figures, event);
        break;
      case "bars":
      case "updatedBars":
      case "statuses":
      case "tickers":
        return;
    }
    this.changed.add(event.symbol);
  }

  /** The symbols that changed since the last call. */
  takeChanged(): readonly StockSymbol[] {
    const changed = [...this.changed];
    this.changed.clear();
    return changed;
  }
}

function applyTrade(figures: Figures, trade: Trade): void {
  figures.last = trade.price;
  figures.day = withTrade(figures.day, trade);
}

function applyQuote(figures: Figures, quote: Quote): void {
  figures.bid = quote.bid;
  figures.bidSize = quote.bidSize;
  figures.ask = quote.ask;
  figures.askSize = quote.askSize;
}

/** The server's word on the day takes the place of ours; trades are folded into it until the next. */
function applyDay(figures: Figures, bar: Bar): void {
  figures.last ??= bar.close;
  figures.day = { open: bar.open, high: bar.high, low: bar.low, volume: bar.volume, known: "whole" };
}

function withTrade(day: Day | undefined, { price, size }: Trade): Day {
  if (day === undefined) return { open: price, high: price, low: price, volume: size, known: "part" };
  return {
    ...day,
    high: price > day.high ? price : day.high,
    low: price < day.low ? price : day.low,
    volume: day.volume + size,
  };
}
