import type { MarketEvent, Millis, Price, Quote, Shares, StockSymbol, Trade } from "../model";

/** The aggressor of a trade: a buyer at the ask, a seller at the bid, or unknown between the two. */
export type Side = "buy" | "sell" | "between";

/** A row with one trade. */
export interface Print {
  readonly kind: "print";
  readonly time: Millis;
  readonly price: Price;
  readonly size: Shares;
  readonly venue: string;
  readonly side: Side;
  readonly id: number;
}

/** A row that stands for missing trades. */
export interface MissingTrades {
  readonly kind: "gap";
  readonly missing: number;
}

export type SalesRow = Print | MissingTrades;

/** Maximum number of rows. When it is exceeded, the oldest `DROP` rows are removed at once. */
export const MAX_ROWS = 5_000;
const DROP = 1_000;

/** The trades of the selected symbol in order, with the gaps between them. */
export class TimeAndSales {
  readonly symbol: StockSymbol;
  private rows: SalesRow[] = [];
  private dropped = 0;
  private changes = 0;
  private newestPrint: Print | undefined;
  private best: Pick<Quote, "bid" | "ask"> | undefined;

  constructor(symbol: StockSymbol) {
    this.symbol = symbol;
  }

  /** Increases with each change. */
  get revision(): number {
    return this.changes;
  }

  /** The index of the next row. Rows are numbered from 0 and keep their index. */
  get end(): number {
    return this.dropped + this.rows.length;
  }

  /** The index of the oldest row that is kept. */
  get start(): number {
    return this.dropped;
  }

  row(index: number): SalesRow | undefined {
    return this.rows[index - this.dropped];
  }

  /** The newest trade; queries for later history start here. */
  get newest(): Print | undefined {
    return this.newestPrint;
  }

  apply(event: MarketEvent): void {
    if (event.symbol !== this.symbol) return;
    if (event.channel === "quotes" || event.channel === "tickers") this.best = event;
    // A snapshot repeats the last trade, which a non-empty list already has.
    else if (event.channel === "trades" && (event.origin === "live" || this.rows.length === 0)) this.addTrade(event);
  }

  /** Adds a gap after the newest row. */
  addGap(missing: number): void {
    this.push({ kind: "gap", missing });
  }

  /**
   * Inserts historical trades that are missing here; returns their number. If there are any, all gaps are removed.
   * The side of historical trades is unknown, because the quotes of their time are.
   */
  mergeHistory(history: readonly Trade[]): number {
    const prints = this.rows.filter((row) => row.kind === "print");
    const known = new Set(prints.map(keyOf));
    const missing = history.filter((trade) => !known.has(keyOf(trade)));
    if (missing.length === 0) return 0;
    const recovered = missing.map((trade): Print => ({ kind: "print", ...fieldsOf(trade), side: "between" }));
    this.rows = [...prints, ...recovered].sort((a, b) => a.time - b.time || a.id - b.id).slice(-MAX_ROWS);
    this.changes += 1;
    return missing.length;
  }

  /** Appends a trade. If history delivered it before the stream did, replaces that row, because the side is now known. */
  private addTrade(trade: Trade): void {
    const print = this.printOf(trade);
    for (let at = this.rows.length - 1; at >= 0; at -= 1) {
      const row = this.rows[at];
      if (row?.kind !== "print") continue;
      if (row.time < trade.time - 1) break;
      if (keyOf(row) !== keyOf(trade)) continue;
      this.rows[at] = print;
      this.changes += 1;
      return;
    }
    this.push(print);
  }

  private printOf(trade: Trade): Print {
    return { kind: "print", ...fieldsOf(trade), side: this.sideOf(trade.price) };
  }

  private sideOf(price: Price): Side {
    const { bid, ask } = this.best ?? { bid: 0, ask: 0 };
    if (ask > 0 && price >= ask) return "buy";
    return bid > 0 && price <= bid ? "sell" : "between";
  }

  private push(row: SalesRow): void {
    this.rows.push(row);
    if (row.kind === "print") this.newestPrint = row;
    if (this.rows.length > MAX_ROWS) {
      this.rows.splice(0, DROP);
      this.dropped += DROP;
    }
    this.changes += 1;
  }
}

/** Identifies a trade. Ids restart with the server, so the time is part of the key, in whole ms: REST times may be truncated. */
const keyOf = ({ time, id }: { readonly time: Millis; readonly id: number }): string => `${id}@${Math.floor(time)}`;

const fieldsOf = ({ time, price, size, venue, id }: Trade) => ({ time, price, size, venue, id });
