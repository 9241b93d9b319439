import type { Cancel, Correction, MarketEvent, Millis, Price, Quote, Shares, StockSymbol, Trade } from "@tapecast/client";

/** The aggressor of a trade: a buyer at the ask, a seller at the bid, or unknown between the two. */
export type Side = "buy" | "sell" | "between";

/** What makes a trade another than the others: it says nothing about the price of its row's time, or is void. */
export type PrintMark = "none" | "late" | "corrected" | "cancelled";

/** A row with one trade. */
export interface Print {
  readonly kind: "print";
  readonly time: Millis;
  readonly price: Price;
  readonly size: Shares;
  readonly venue: string;
  readonly tape: string;
  readonly side: Side;
  readonly mark: PrintMark;
  /** Sale conditions, one character each. */
  readonly conditions: string;
  readonly id: number;
}

/** A row that stands for missing trades. */
export interface MissingTrades {
  readonly kind: "gap";
  readonly missing: number;
}

export type SalesRow = Print | MissingTrades;

/** What history brought: all trades that were added, and those of them that were missing in a gap. */
export interface Merged {
  readonly added: number;
  readonly recovered: number;
}

/** A last price that a cancel or a correction changed. */
export interface RevisedPrice {
  readonly from: Price;
  readonly to: Price;
}

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

  /** The newest trade that was not reported late, with the mark of its cancel or correction. */
  get latest(): Print | undefined {
    const row = this.rows[lastIndex(this.rows, isOnTime)];
    return row?.kind === "print" ? row : undefined;
  }

  apply(event: MarketEvent): void {
    if (event.symbol !== this.symbol) return;
    if (event.channel === "quotes" || event.channel === "tickers") this.best = event;
    // A snapshot repeats the last trade, which a non-empty list already has.
    else if (event.channel === "trades" && (event.origin !== "snapshot" || this.rows.length === 0)) this.addTrade(event);
  }

  /** Adds a gap after the newest row. */
  addGap(missing: number): void {
    this.push({ kind: "gap", missing });
  }

  /** The number of trades that are known to be missing. */
  get missing(): number {
    return this.rows.reduce((sum, row) => sum + (row.kind === "gap" ? row.missing : 0), 0);
  }

  /** Where history has to begin to fill the oldest gap and to follow the newest trade; undefined for an empty list. */
  get historyStart(): Millis | undefined {
    const gap = this.rows.findIndex(({ kind }) => kind === "gap");
    return gap < 0 ? this.newestPrint?.time : (this.timeBefore(gap) ?? this.newestPrint?.time);
  }

  /**
   * Inserts historical trades that are missing here. Those between the trades around a gap fill it; what remains of the
   * gap stays, before them: history lacks the oldest. The side of historical trades is unknown, because the quotes of
   * their time are.
   */
  mergeHistory(history: readonly Trade[]): Merged {
    const prints = this.rows.filter((row) => row.kind === "print");
    const known = new Set(prints.map(keyOf));
    const inserted = history.filter((trade) => !known.has(keyOf(trade))).map((trade): Print => ({ ...printOf(trade), side: "between" }));
    if (inserted.length === 0) return { added: 0, recovered: 0 };
    const merged: SalesRow[] = [...prints, ...inserted].sort((a, b) => a.time - b.time || a.id - b.id);
    let recovered = 0;
    this.rows.forEach((row, at) => {
      if (row.kind !== "gap") return;
      const [from, to] = [this.timeBefore(at) ?? Number.NEGATIVE_INFINITY, this.timeAfter(at) ?? Number.POSITIVE_INFINITY];
      const filled = Math.min(row.missing, inserted.filter(({ time }) => time >= from && time <= to).length);
      recovered += filled;
      if (filled === row.missing) return;
      const first = merged.findIndex((other) => other.kind === "print" && other.time > from);
      merged.splice(first < 0 ? merged.length : first, 0, { kind: "gap", missing: row.missing - filled });
    });
    this.rows = merged.slice(-MAX_ROWS);
    this.changes += 1;
    return { added: inserted.length, recovered };
  }

  /** Marks the trade of a cancel or a correction; returns how the last price changes with it. */
  revise(revision: Cancel | Correction): RevisedPrice | undefined {
    if (revision.symbol !== this.symbol) return undefined;
    const at = lastIndex(this.rows, (row) => row.kind === "print" && row.id === revision.id);
    const row = this.rows[at];
    if (row?.kind !== "print") return undefined;
    const before = this.lastPrice;
    this.rows[at] =
      revision.channel === "corrections"
        ? { ...row, price: revision.price, size: revision.size, mark: "corrected" }
        : { ...row, mark: "cancelled" };
    this.changes += 1;
    const after = this.lastPrice;
    return before === undefined || after === undefined || before === after ? undefined : { from: before, to: after };
  }

  /** The price of the newest trade that counts. */
  private get lastPrice(): Price | undefined {
    const last = this.rows[lastIndex(this.rows, (row) => isOnTime(row) && row.mark !== "cancelled")];
    return last?.kind === "print" ? last.price : undefined;
  }

  /** The time of the last trade before a row, and of the first one after it, late ones aside. */
  private timeBefore(at: number): Millis | undefined {
    const row = this.rows[lastIndex(this.rows.slice(0, at), isOnTime)];
    return row?.kind === "print" ? row.time : undefined;
  }

  private timeAfter(at: number): Millis | undefined {
    const row = this.rows.find((other, place) => place > at && isOnTime(other));
    return row?.kind === "print" ? row.time : undefined;
  }

  /** Appends a trade. If history delivered it before the stream did, replaces that row, because the side is now known. */
  private addTrade(trade: Trade): void {
    const print: Print = { ...printOf(trade), side: this.sideOf(trade) };
    for (let at = this.rows.length - 1; at >= 0; at -= 1) {
      const row = this.rows[at];
      if (row === undefined || !isOnTime(row)) continue;
      if (row.time < trade.time - 1) break;
      if (keyOf(row) !== keyOf(trade)) continue;
      // A cancel or a correction may have come before.
      this.rows[at] = row.mark === "cancelled" || row.mark === "corrected" ? row : print;
      this.changes += 1;
      return;
    }
    this.push(print);
  }

  /** Late and replayed trades have no side: the quote of their time is not the one of now. */
  private sideOf({ price, isLate, origin }: Trade): Side {
    const { bid, ask } = this.best ?? {};
    if (isLate || origin !== "live") return "between";
    // In a crossed market a trade may be both.
    const [isBuy, isSell] = [ask !== undefined && price >= ask, bid !== undefined && price <= bid];
    if (isBuy === isSell) return "between";
    return isBuy ? "buy" : "sell";
  }

  private push(row: SalesRow): void {
    this.rows.push(row);
    if (row.kind === "print" && row.mark !== "late") this.newestPrint = row;
    if (this.rows.length > MAX_ROWS) {
      this.rows.splice(0, DROP);
      this.dropped += DROP;
    }
    this.changes += 1;
  }
}

/** Identifies a trade. Ids restart with the server, so the time is part of the key, in whole ms: REST times may be truncated. */
const keyOf = ({ time, id }: { readonly time: Millis; readonly id: number }): string => `${id}@${Math.floor(time)}`;

const printOf = ({ time, price, size, venue, tape, id, conditions, isLate }: Trade): Print => ({
  ...{ kind: "print", time, price, size, venue, tape, id, conditions, side: "between" },
  mark: isLate ? "late" : "none",
});

const isOnTime = (row: SalesRow): row is Print => row.kind === "print" && row.mark !== "late";

/** The index of the last row of which this holds; -1 if there is none. */
function lastIndex(rows: readonly SalesRow[], holds: (row: SalesRow) => boolean): number {
  let at = rows.length - 1;
  for (let row = rows[at]; row !== undefined && !holds(row); row = rows[at]) at -= 1;
  return at;
}
