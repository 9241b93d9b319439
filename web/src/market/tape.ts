import type { MarketEvent, Millis, Price, Quote, Shares, StockSymbol, Trade } from "../model";

/** Who was in a hurry: a buyer who took the ask, a seller who hit the bid, or nobody. */
export type Side = "buy" | "sell" | "between";

/** A line of time and sales. */
export interface Print {
  readonly kind: "print";
  readonly time: Millis;
  readonly price: Price;
  readonly size: Shares;
  readonly venue: string;
  readonly side: Side;
  readonly id: number;
}

/** A line that says that so many trades are missing here. */
export interface Hole {
  readonly kind: "hole";
  readonly missing: number;
}

export type TapeLine = Print | Hole;

/** So many lines are kept; when the oldest are dropped it is this many at a time. */
export const MAX_LINES = 5_000;
const DROP = 1_000;

/** The trades of the selected symbol, one after the other, and what is missing between them. */
export class Tape {
  readonly symbol: StockSymbol;
  private lines: TapeLine[] = [];
  private dropped = 0;
  private changes = 0;
  private newestPrint: Print | undefined;
  private best: Pick<Quote, "bid" | "ask"> | undefined;

  constructor(symbol: StockSymbol) {
    this.symbol = symbol;
  }

  /** Rises with each change. */
  get revision(): number {
    return this.changes;
  }

  /** The number that the next line will have: lines are numbered from 0 and keep their number. */
  get end(): number {
    return this.dropped + this.lines.length;
  }

  /** The number of the oldest line that is still kept. */
  get start(): number {
    return this.dropped;
  }

  line(number: number): TapeLine | undefined {
    return this.lines[number - this.dropped];
  }

  /** The newest trade, to ask history for what came after it. */
  get newest(): Print | undefined {
    return this.newestPrint;
  }

  apply(event: MarketEvent): void {
    if (event.symbol !== this.symbol) return;
    if (event.channel === "quotes" || event.channel === "tickers") this.best = event;
    // A snapshot says what was last; on a tape that has lines already it is one of them.
    else if (event.channel === "trades" && (event.origin === "live" || this.lines.length === 0)) this.print(event);
  }

  /** Tells that trades are missing after the newest line. */
  miss(missing: number): void {
    this.push({ kind: "hole", missing });
  }

  /**
   * Puts in what history has between and before our lines; where something is put in, the holes close.
   * Sides are not known of the past: there were other quotes.
   */
  heal(history: readonly Trade[]): number {
    const prints = this.lines.filter((line) => line.kind === "print");
    const known = new Set(prints.map(keyOf));
    const missing = history.filter((trade) => !known.has(keyOf(trade)));
    if (missing.length === 0) return 0;
    const healed = missing.map((trade): Print => ({ kind: "print", ...lineOf(trade), side: "between" }));
    this.lines = [...prints, ...healed].sort((a, b) => a.time - b.time || a.id - b.id).slice(-MAX_LINES);
    this.changes += 1;
    return missing.length;
  }

  /** History may have brought this trade while it was on its way to us; now we know who was in a hurry. */
  private print(trade: Trade): void {
    const print = this.printOf(trade);
    for (let at = this.lines.length - 1; at >= 0; at -= 1) {
      const line = this.lines[at];
      if (line?.kind !== "print") continue;
      if (line.time < trade.time - 1) break;
      if (keyOf(line) !== keyOf(trade)) continue;
      this.lines[at] = print;
      this.changes += 1;
      return;
    }
    this.push(print);
  }

  private printOf(trade: Trade): Print {
    return { kind: "print", ...lineOf(trade), side: this.sideOf(trade.price) };
  }

  private sideOf(price: Price): Side {
    const { bid, ask } = this.best ?? { bid: 0, ask: 0 };
    if (ask > 0 && price >= ask) return "buy";
    return bid > 0 && price <= bid ? "sell" : "between";
  }

  private push(line: TapeLine): void {
    this.lines.push(line);
    if (line.kind === "print") this.newestPrint = line;
    if (this.lines.length > MAX_LINES) {
      this.lines.splice(0, DROP);
      this.dropped += DROP;
    }
    this.changes += 1;
  }
}

/** Ids rise within one life of a server; another one begins anew. Clocks are told to the nanosecond, or not. */
const keyOf = ({ time, id }: { readonly time: Millis; readonly id: number }): string => `${id}@${Math.floor(time)}`;

const lineOf = ({ time, price, size, venue, id }: Trade) => ({ time, price, size, venue, id });
