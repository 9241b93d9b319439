import { asSymbol, type StockSymbol } from "../model";

/** What is watched by somebody who has not chosen yet. */
export const DEFAULT_SYMBOLS = ["AAPL", "MSFT", "NVDA", "TSLA", "AMZN", "GOOGL", "META", "JPM"];

/** More rows than this no person watches; it bounds what the page holds and what it subscribes to. */
export const MAX_SYMBOLS = 50;

/** The symbols watched, in the order they were added, and which one the chart shows. */
export class Watchlist {
  private readonly list: StockSymbol[];
  private chosen: StockSymbol | undefined;

  constructor(symbols: readonly StockSymbol[]) {
    this.list = [...new Set(symbols)].slice(0, MAX_SYMBOLS);
    this.chosen = this.list[0];
  }

  get symbols(): readonly StockSymbol[] {
    return this.list;
  }

  get selected(): StockSymbol | undefined {
    return this.chosen;
  }

  get hasRoom(): boolean {
    return this.list.length < MAX_SYMBOLS;
  }

  has(symbol: StockSymbol): boolean {
    return this.list.includes(symbol);
  }

  /** Adds at the end; answers whether anything changed. */
  add(symbol: StockSymbol): boolean {
    if (this.has(symbol) || !this.hasRoom) return false;
    this.list.push(symbol);
    this.chosen ??= symbol;
    return true;
  }

  /** Removes; the selection moves to the neighbour below, or above at the end. */
  remove(symbol: StockSymbol): boolean {
    const at = this.list.indexOf(symbol);
    if (at < 0) return false;
    this.list.splice(at, 1);
    if (this.chosen === symbol) this.chosen = this.list[at] ?? this.list[at - 1];
    return true;
  }

  select(symbol: StockSymbol): void {
    if (this.has(symbol)) this.chosen = symbol;
  }

  /** The symbol so many rows below the selected one, staying inside the list. */
  neighbour(rows: number): StockSymbol | undefined {
    const at = this.chosen === undefined ? 0 : this.list.indexOf(this.chosen) + rows;
    return this.list[Math.min(Math.max(at, 0), this.list.length - 1)];
  }

  /** The list as text to be kept. */
  toText(): string {
    return JSON.stringify(this.list);
  }

  /** A list from text that was kept; the default one when there is none, or it was tampered with. */
  static fromText(text: string | null): Watchlist {
    return new Watchlist(symbolsIn(text) ?? symbolsAmong(DEFAULT_SYMBOLS));
  }
}

function symbolsIn(text: string | null): readonly StockSymbol[] | undefined {
  if (text === null) return undefined;
  try {
    const kept: unknown = JSON.parse(text);
    return Array.isArray(kept) ? symbolsAmong(kept) : undefined;
  } catch {
    return undefined;
  }
}

function symbolsAmong(values: readonly unknown[]): readonly StockSymbol[] {
  return values.flatMap((value) => (typeof value === "string" ? (asSymbol(value) ?? []) : []));
}
