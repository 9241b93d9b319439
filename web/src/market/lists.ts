import { asSymbol, type StockSymbol } from "../model";

/** What is watched by somebody who has not chosen yet. */
export const DEFAULT_SYMBOLS =
  "AAPL MSFT NVDA TSLA AMZN GOOGL META JPM V WMT JNJ PG XOM KO PEP COST DIS NFLX INTC BA".split(" ");

/** More rows than this no person watches; it bounds what the page holds and what it subscribes to. */
export const MAX_SYMBOLS = 500;

/** More lists than this nobody tells apart. */
const MAX_LISTS = 20;

/** A watchlist: the symbols in the order they were added. */
export interface NamedList {
  readonly name: string;
  readonly symbols: readonly StockSymbol[];
}

/** The viewer's watchlists, which of them is shown, and which of its symbols is selected. There is always one list. */
export class Lists {
  private lists: readonly NamedList[];
  private shown = 0;
  private chosen: StockSymbol | undefined;

  constructor(lists: readonly NamedList[], defaultName: string) {
    const usable = lists.slice(0, MAX_LISTS).map(({ name, symbols }) => ({ name, symbols: unique(symbols) }));
    this.lists = usable.length > 0 ? usable : [{ name: defaultName, symbols: symbolsAmong(DEFAULT_SYMBOLS) }];
    this.chosen = this.symbols[0];
  }

  get all(): readonly NamedList[] {
    return this.lists;
  }

  get current(): NamedList {
    return this.lists[this.shown] ?? { name: "", symbols: [] };
  }

  /** Which list is shown, counted from 0. */
  get place(): number {
    return this.shown;
  }

  get symbols(): readonly StockSymbol[] {
    return this.current.symbols;
  }

  get selected(): StockSymbol | undefined {
    return this.chosen;
  }

  has(symbol: StockSymbol): boolean {
    return this.symbols.includes(symbol);
  }

  /** Adds to the list that is shown; answers whether it is in it now. */
  add(symbol: StockSymbol): boolean {
    if (this.has(symbol)) return true;
    if (this.symbols.length >= MAX_SYMBOLS) return false;
    this.change([...this.symbols, symbol]);
    this.chosen ??= symbol;
    return true;
  }

  /** Removes; the selection moves to this other symbol, which stands beside it on the board. */
  remove(symbol: StockSymbol, neighbour: StockSymbol | undefined): void {
    this.change(this.symbols.filter((other) => other !== symbol));
    if (this.chosen === symbol) this.chosen = neighbour ?? this.symbols[0];
  }

  select(symbol: StockSymbol): void {
    if (this.has(symbol)) this.chosen = symbol;
  }

  /** Shows the list at this place; from the last on to the first. */
  show(place: number): void {
    this.shown = (place + this.lists.length) % this.lists.length;
    this.chosen = this.symbols[0];
  }

  /** A new list, which is shown; answers whether there was room for it. */
  create(name: string, symbols: readonly StockSymbol[] = []): boolean {
    if (this.lists.length >= MAX_LISTS) return false;
    this.lists = [...this.lists, { name, symbols: unique(symbols) }];
    this.show(this.lists.length - 1);
    return true;
  }

  rename(name: string): void {
    this.lists = this.lists.map((list, place) => (place === this.shown ? { ...list, name } : list));
  }

  /** Deletes the list that is shown, unless it is the only one. */
  delete(): void {
    if (this.lists.length < 2) return;
    this.lists = this.lists.filter((_, place) => place !== this.shown);
    this.show(Math.min(this.shown, this.lists.length - 1));
  }

  /** Shows these symbols: the list that is just so, or a new one of this name in the place of an older one. */
  visit(symbols: readonly StockSymbol[], name: string): void {
    const key = unique(symbols).join();
    const same = this.lists.findIndex((list) => list.symbols.join() === key);
    const named = this.lists.findIndex((list) => list.name === name);
    if (same >= 0) {
      this.show(same);
    } else if (named >= 0) {
      this.show(named);
      this.change(unique(symbols));
      this.chosen = this.symbols[0];
    } else {
      this.create(name, symbols);
    }
  }

  /** The lists as text to be kept. */
  toText(): string {
    return JSON.stringify({ shown: this.shown, lists: this.lists });
  }

  /** Lists from text that was kept; the default one where there is none, or it was tampered with. */
  static fromText(text: string | null, defaultName: string): Lists {
    const kept = parse(text);
    const lists = new Lists(kept.lists, defaultName);
    lists.show(kept.shown < lists.all.length ? kept.shown : 0);
    return lists;
  }

  private change(symbols: readonly StockSymbol[]): void {
    this.lists = this.lists.map((list, place) => (place === this.shown ? { ...list, symbols } : list));
  }
}

const unique = (symbols: readonly StockSymbol[]): readonly StockSymbol[] => [...new Set(symbols)].slice(0, MAX_SYMBOLS);

function parse(text: string | null): { readonly shown: number; readonly lists: readonly NamedList[] } {
  const nothing = { shown: 0, lists: [] };
  if (text === null) return nothing;
  try {
    const kept = JSON.parse(text) as unknown;
    if (typeof kept !== "object" || kept === null || !("lists" in kept) || !Array.isArray(kept.lists)) return nothing;
    const shown = "shown" in kept && typeof kept.shown === "number" && Number.isInteger(kept.shown) && kept.shown >= 0 ? kept.shown : 0;
    return { shown, lists: kept.lists.flatMap((list: unknown) => listOf(list) ?? []) };
  } catch {
    return nothing;
  }
}

function listOf(list: unknown): NamedList | undefined {
  if (typeof list !== "object" || list === null || !("name" in list) || !("symbols" in list)) return undefined;
  if (typeof list.name !== "string" || !Array.isArray(list.symbols)) return undefined;
  return { name: list.name.slice(0, 40), symbols: symbolsAmong(list.symbols) };
}

/** Those of the values that can be symbols. */
export function symbolsAmong(values: readonly unknown[]): readonly StockSymbol[] {
  return values.flatMap((value) => (typeof value === "string" ? (asSymbol(value) ?? []) : []));
}
