import { asSymbol, type StockSymbol } from "../model";

/** The symbols of a new user's list. */
export const DEFAULT_SYMBOLS =
  "AAPL MSFT NVDA TSLA AMZN GOOGL META JPM V WMT JNJ PG XOM KO PEP COST DIS NFLX INTC BA".split(" ");

/** Maximum length of a list. Bounds the page's memory and its subscriptions. */
export const MAX_SYMBOLS = 500;

/** Maximum number of lists. */
const MAX_LISTS = 20;

/** A named list of symbols, in the order in which they were added. */
export interface Watchlist {
  readonly name: string;
  readonly symbols: readonly StockSymbol[];
}

/** The user's watchlists, the index of the current one and its selected symbol. There is always at least one list. */
export class Watchlists {
  private lists: readonly Watchlist[];
  private currentIndex = 0;
  private selectedSymbol: StockSymbol | undefined;

  constructor(lists: readonly Watchlist[], defaultName: string) {
    const usable = lists.slice(0, MAX_LISTS).map(({ name, symbols }) => ({ name, symbols: unique(symbols) }));
    this.lists = usable.length > 0 ? usable : [{ name: defaultName, symbols: validSymbols(DEFAULT_SYMBOLS) }];
    this.selectedSymbol = this.symbols[0];
  }

  get all(): readonly Watchlist[] {
    return this.lists;
  }

  get current(): Watchlist {
    return this.lists[this.currentIndex] ?? { name: "", symbols: [] };
  }

  /** The index of the current list. */
  get index(): number {
    return this.currentIndex;
  }

  get symbols(): readonly StockSymbol[] {
    return this.current.symbols;
  }

  get selected(): StockSymbol | undefined {
    return this.selectedSymbol;
  }

  has(symbol: StockSymbol): boolean {
    return this.symbols.includes(symbol);
  }

  /** Adds a symbol to the current list; false if the list is full. */
  add(symbol: StockSymbol): boolean {
    if (this.has(symbol)) return true;
    if (this.symbols.length >= MAX_SYMBOLS) return false;
    this.change([...this.symbols, symbol]);
    this.selectedSymbol ??= symbol;
    return true;
  }

  /** Removes a symbol. If it was selected, its neighbour on the screen is selected. */
  remove(symbol: StockSymbol, neighbour: StockSymbol | undefined): void {
    this.change(this.symbols.filter((other) => other !== symbol));
    if (this.selectedSymbol === symbol) this.selectedSymbol = neighbour ?? this.symbols[0];
  }

  select(symbol: StockSymbol): void {
    if (this.has(symbol)) this.selectedSymbol = symbol;
  }

  /** Switches to the list at this index, which wraps around. */
  show(index: number): void {
    this.currentIndex = (index + this.lists.length) % this.lists.length;
    this.selectedSymbol = this.symbols[0];
  }

  /** Creates a list and switches to it; false if there are too many. */
  create(name: string, symbols: readonly StockSymbol[] = []): boolean {
    if (this.lists.length >= MAX_LISTS) return false;
    this.lists = [...this.lists, { name, symbols: unique(symbols) }];
    this.show(this.lists.length - 1);
    return true;
  }

  rename(name: string): void {
    this.lists = this.lists.map((list, index) => (index === this.currentIndex ? { ...list, name } : list));
  }

  /** Deletes the current list, unless it is the only one. */
  delete(): void {
    if (this.lists.length < 2) return;
    this.lists = this.lists.filter((_, index) => index !== this.currentIndex);
    this.show(Math.min(this.currentIndex, this.lists.length - 1));
  }

  /** Opens a shared list: an equal existing list, or else the list of this name, which is created or replaced. */
  openShared(symbols: readonly StockSymbol[], name: string): void {
    const key = unique(symbols).join();
    const same = this.lists.findIndex((list) => list.symbols.join() === key);
    const named = this.lists.findIndex((list) => list.name === name);
    if (same >= 0) {
      this.show(same);
    } else if (named >= 0) {
      this.show(named);
      this.change(unique(symbols));
      this.selectedSymbol = this.symbols[0];
    } else {
      this.create(name, symbols);
    }
  }

  /** Serialises the lists for storage. */
  toText(): string {
    return JSON.stringify({ shown: this.currentIndex, lists: this.lists });
  }

  /** Parses stored lists; the default list if the text is missing or invalid. */
  static fromText(text: string | null, defaultName: string): Watchlists {
    const stored = parse(text);
    const lists = new Watchlists(stored.lists, defaultName);
    lists.show(stored.shown < lists.all.length ? stored.shown : 0);
    return lists;
  }

  private change(symbols: readonly StockSymbol[]): void {
    this.lists = this.lists.map((list, index) => (index === this.currentIndex ? { ...list, symbols } : list));
  }
}

const unique = (symbols: readonly StockSymbol[]): readonly StockSymbol[] => [...new Set(symbols)].slice(0, MAX_SYMBOLS);

function parse(text: string | null): { readonly shown: number; readonly lists: readonly Watchlist[] } {
  const nothing = { shown: 0, lists: [] };
  if (text === null) return nothing;
  try {
    const stored = JSON.parse(text) as unknown;
    if (typeof stored !== "object" || stored === null || !("lists" in stored) || !Array.isArray(stored.lists)) return nothing;
    const shown = "shown" in stored && typeof stored.shown === "number" && Number.isInteger(stored.shown) && stored.shown >= 0 ? stored.shown : 0;
    return { shown, lists: stored.lists.flatMap((list: unknown) => listOf(list) ?? []) };
  } catch {
    return nothing;
  }
}

function listOf(list: unknown): Watchlist | undefined {
  if (typeof list !== "object" || list === null || !("name" in list) || !("symbols" in list)) return undefined;
  if (typeof list.name !== "string" || !Array.isArray(list.symbols)) return undefined;
  return { name: list.name.slice(0, 40), symbols: validSymbols(list.symbols) };
}

/** The values that are valid symbols. */
export function validSymbols(values: readonly unknown[]): readonly StockSymbol[] {
  return values.flatMap((value) => (typeof value === "string" ? (asSymbol(value) ?? []) : []));
}
