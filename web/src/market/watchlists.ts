import { asSymbol, type StockSymbol } from "@tapecast/client";

/** The symbols of a new user's list. */
export const DEFAULT_SYMBOLS =
  "AAPL MSFT NVDA TSLA AMZN GOOGL META JPM V WMT JNJ PG XOM KO PEP COST DIS NFLX INTC BA".split(" ");

/** Maximum length of a list. Bounds the page's memory and its subscriptions. */
export const MAX_SYMBOLS = 500;

/** Maximum number of lists. */
const MAX_LISTS = 20;

/** The id of a shared list that is not kept. No kept list has it. */
const SHARED_ID = "";

/** A named list of symbols, in the order in which they were added. */
export interface Watchlist {
  /** Identifies the list in storage and in the page's address, whatever its name and symbols become. */
  readonly id: string;
  readonly name: string;
  readonly symbols: readonly StockSymbol[];
}

/** What was removed, and where it was: enough to put it back later, into lists that have changed since. */
export type Removed =
  | { readonly kind: "symbol"; readonly listId: string; readonly symbol: StockSymbol; readonly at: number }
  | { readonly kind: "list"; readonly list: Watchlist; readonly at: number };

/**
 * The user's watchlists, the current one and its selected symbol. There is always at least one list.
 *
 * Beside the kept lists there may be a shared one: it is shown, changed and forgotten like a document that is not
 * saved, unless the user keeps it. Kept lists are shared by all tabs through storage; the current list and the
 * selected symbol belong to the tab.
 */
export class Watchlists {
  private kept: readonly Watchlist[];
  private shared: Watchlist | undefined;
  private currentId: string;
  private selectedSymbol: StockSymbol | undefined;
  /** Makes an id that no other list has. */
  private readonly newId: () => string;

  constructor(lists: readonly Watchlist[], defaultName: string, newId: () => string) {
    this.newId = newId;
    this.kept = usable(lists);
    if (this.kept.length === 0) this.kept = [{ id: "default", name: defaultName, symbols: validSymbols(DEFAULT_SYMBOLS) }];
    this.currentId = this.kept[0]?.id ?? SHARED_ID;
    this.selectedSymbol = this.symbols[0];
  }

  /** The kept lists, and the shared one at the end. */
  get all(): readonly Watchlist[] {
    return this.shared === undefined ? this.kept : [...this.kept, this.shared];
  }

  get current(): Watchlist {
    return this.all.find(({ id }) => id === this.currentId) ?? { id: SHARED_ID, name: "", symbols: [] };
  }

  /** The index of the current list. */
  get index(): number {
    return this.all.findIndex(({ id }) => id === this.currentId);
  }

  /** True if the current list is shared and not kept. */
  get isShared(): boolean {
    return this.currentId === SHARED_ID;
  }

  /** True if the current list may be deleted: one kept list always remains. */
  get canDelete(): boolean {
    return this.isShared || this.kept.length > 1;
  }

  get symbols(): readonly StockSymbol[] {
    return this.current.symbols;
  }

  get selected(): StockSymbol | undefined {
    return this.selectedSymbol;
  }

  /** The selected symbol if it is only looked at and not in the list. */
  get visited(): StockSymbol | undefined {
    const { selected } = this;
    return selected === undefined || this.has(selected) ? undefined : selected;
  }

  has(symbol: StockSymbol): boolean {
    return this.symbols.includes(symbol);
  }

  /** Adds a symbol to the current list; false if the list is full. */
  add(symbol: StockSymbol): boolean {
    if (this.has(symbol)) return true;
    if (this.symbols.length >= MAX_SYMBOLS) return false;
    this.change(this.currentId, [...this.symbols, symbol]);
    this.selectedSymbol ??= symbol;
    return true;
  }

  /** Removes a symbol. If it was selected, its neighbour on the screen is selected. */
  remove(symbol: StockSymbol, neighbour: StockSymbol | undefined): Removed | undefined {
    const at = this.symbols.indexOf(symbol);
    if (at < 0) return undefined;
    this.change(this.currentId, this.symbols.filter((other) => other !== symbol));
    if (this.selectedSymbol === symbol) this.selectedSymbol = neighbour ?? this.symbols[0];
    return { kind: "symbol", listId: this.currentId, symbol, at };
  }

  select(symbol: StockSymbol): void {
    if (this.has(symbol)) this.selectedSymbol = symbol;
  }

  /** Selects a symbol without adding it to the list: a look at it. */
  visit(symbol: StockSymbol): void {
    this.selectedSymbol = symbol;
  }

  /** Switches to the list at this index, which wraps around. */
  show(index: number): void {
    const list = this.all[(index + this.all.length) % this.all.length];
    if (list !== undefined) this.showId(list.id);
  }

  /** Switches to the list with this id; false if there is none. */
  showId(id: string): boolean {
    if (!this.all.some((list) => list.id === id)) return false;
    this.currentId = id;
    this.selectedSymbol = this.symbols[0];
    return true;
  }

  /** Creates a list and switches to it; false if there are too many. */
  create(name: string, symbols: readonly StockSymbol[] = []): boolean {
    if (this.kept.length >= MAX_LISTS) return false;
    const list = { id: this.newId(), name, symbols: unique(symbols) };
    this.kept = [...this.kept, list];
    return this.showId(list.id);
  }

  /** Renames the current list. A shared list becomes a kept one by that; false if there are too many. */
  rename(name: string): boolean {
    if (this.isShared) return this.keep(name);
    this.kept = this.kept.map((list) => (list.id === this.currentId ? { ...list, name } : list));
    return true;
  }

  /** Keeps the shared list under this name; false if there are too many. */
  keep(name: string): boolean {
    const { symbols, selected } = this;
    if (!this.isShared || !this.create(name, symbols)) return false;
    this.shared = undefined;
    if (selected !== undefined) this.select(selected);
    return true;
  }

  /** Deletes the current list, unless it is the only kept one. */
  delete(): Removed | undefined {
    if (!this.canDelete) return undefined;
    const [list, at] = [this.current, this.index];
    this.shared = this.isShared ? undefined : this.shared;
    this.kept = this.kept.filter(({ id }) => id !== list.id);
    this.show(Math.min(at, this.all.length - 1));
    return { kind: "list", list, at };
  }

  /** Puts back what was removed, shows its list and selects it. */
  restore(removed: Removed): void {
    if (removed.kind === "list") {
      if (removed.list.id === SHARED_ID) this.shared = removed.list;
      else if (!this.kept.some(({ id }) => id === removed.list.id)) this.kept = inserted(this.kept, removed.list, removed.at);
      this.showId(removed.list.id);
      return;
    }
    const { listId, symbol, at } = removed;
    if (listId !== this.currentId && !this.showId(listId)) return;
    if (!this.has(symbol) && this.symbols.length < MAX_SYMBOLS) this.change(listId, inserted(this.symbols, symbol, at));
    this.select(symbol);
  }

  /** Shows shared symbols: an equal kept list, or else a list that is not kept. */
  openShared(symbols: readonly StockSymbol[], name: string): void {
    const key = unique(symbols).join();
    const same = this.kept.find((list) => list.symbols.join() === key);
    if (same === undefined) this.shared = { id: SHARED_ID, name, symbols: unique(symbols) };
    this.showId(same?.id ?? SHARED_ID);
  }

  /**
   * Takes over the lists that another tab stored. The current list and the selected symbol stay, if they are still
   * there.
   */
  update(text: string | null): void {
    const stored = usable(parse(text).lists);
    if (stored.length === 0) return;
    const { index: at, selected, visited } = this;
    this.kept = stored;
    if (this.index < 0) this.show(Math.min(Math.max(0, at), this.all.length - 1));
    this.selectedSymbol = visited ?? (selected !== undefined && this.has(selected) ? selected : this.symbols[0]);
  }

  /** Serialises the kept lists for storage. */
  toText(): string {
    return JSON.stringify({ shown: this.isShared ? this.kept[0]?.id : this.currentId, lists: this.kept });
  }

  /** Parses stored lists; the default list if the text is missing or invalid. */
  static fromText(text: string | null, defaultName: string, newId: () => string): Watchlists {
    const stored = parse(text);
    const lists = new Watchlists(stored.lists, defaultName, newId);
    lists.showId(stored.shown);
    return lists;
  }

  private change(id: string, symbols: readonly StockSymbol[]): void {
    const changed = (list: Watchlist) => (list.id === id ? { ...list, symbols } : list);
    this.kept = this.kept.map(changed);
    this.shared = this.shared && changed(this.shared);
  }
}

const unique = (symbols: readonly StockSymbol[]): readonly StockSymbol[] => [...new Set(symbols)].slice(0, MAX_SYMBOLS);

function inserted<T>(items: readonly T[], item: T, at: number): readonly T[] {
  return [...items.slice(0, at), item, ...items.slice(at)];
}

/** Lists with distinct ids, at most the maximum number. */
function usable(lists: readonly Watchlist[]): readonly Watchlist[] {
  const distinct = lists.filter(({ id }, at) => id !== SHARED_ID && lists.findIndex((other) => other.id === id) === at);
  return distinct.slice(0, MAX_LISTS).map((list) => ({ ...list, symbols: unique(list.symbols) }));
}

function parse(text: string | null): { readonly shown: string; readonly lists: readonly Watchlist[] } {
  const nothing = { shown: "", lists: [] };
  if (text === null) return nothing;
  try {
    const stored = JSON.parse(text) as unknown;
    if (typeof stored !== "object" || stored === null || !("lists" in stored) || !Array.isArray(stored.lists)) return nothing;
    const shown = "shown" in stored ? stored.shown : "";
    // Lists of earlier versions have no id, and the shown one is told by its index.
    const id = typeof shown === "number" ? idAt(shown) : shown;
    return { shown: typeof id === "string" ? id : "", lists: stored.lists.flatMap((list: unknown, at) => listOf(list, at) ?? []) };
  } catch {
    return nothing;
  }
}

/** The id of a stored list without one. It depends on nothing else, so that all tabs give the same. */
const idAt = (index: number): string => `list${index}`;

function listOf(list: unknown, at: number): Watchlist | undefined {
  if (typeof list !== "object" || list === null || !("name" in list) || !("symbols" in list)) return undefined;
  if (typeof list.name !== "string" || !Array.isArray(list.symbols)) return undefined;
  const id = "id" in list && typeof list.id === "string" ? list.id.slice(0, 40) : idAt(at);
  return { id, name: list.name.slice(0, 40), symbols: validSymbols(list.symbols) };
}

/** The values that are valid symbols. */
export function validSymbols(values: readonly unknown[]): readonly StockSymbol[] {
  return values.flatMap((value) => (typeof value === "string" ? (asSymbol(value) ?? []) : []));
}

/** The symbols in a text such as `AAPL, tsla IBM`, as far as a list takes them. */
export function symbolsIn(text: string): readonly StockSymbol[] {
  return unique(validSymbols(text.toUpperCase().split(/[\s,;|]+/)));
}
