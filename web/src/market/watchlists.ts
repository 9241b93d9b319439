import type { StockSymbol } from "@tapecast/client";
import { reverted, symbolsOf, without, type ListItem } from "./list-items";
import { bounded, MAX_SYMBOLS, readLists, validSymbols, writeLists, type Watchlist } from "./stored-lists";

/** The symbols of a new user's list. */
export const DEFAULT_SYMBOLS =
  "AAPL MSFT NVDA TSLA AMZN GOOGL META JPM V WMT JNJ PG XOM KO PEP COST DIS NFLX INTC BA".split(" ");

/** Maximum number of lists. */
const MAX_LISTS = 20;

/** The id of a shared list that is not kept. No kept list has it. */
const SHARED_ID = "";

/** A change of lists: enough to take it back later, in lists that have changed since. */
export type ListChange =
  | { readonly kind: "items"; readonly listId: string; readonly before: readonly ListItem[]; readonly after: readonly ListItem[] }
  | { readonly kind: "deleted"; readonly list: Watchlist; readonly at: number };

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
    if (this.kept.length === 0) this.kept = [{ id: "default", name: defaultName, items: validSymbols(DEFAULT_SYMBOLS) }];
    this.currentId = this.kept[0]?.id ?? SHARED_ID;
    this.selectedSymbol = this.symbols[0];
  }

  /** The kept lists, and the shared one at the end. */
  get all(): readonly Watchlist[] {
    return this.shared === undefined ? this.kept : [...this.kept, this.shared];
  }

  get current(): Watchlist {
    return this.all.find(({ id }) => id === this.currentId) ?? { id: SHARED_ID, name: "", items: [] };
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

  /** The sections and symbols of the current list. */
  get items(): readonly ListItem[] {
    return this.current.items;
  }

  get symbols(): readonly StockSymbol[] {
    return symbolsOf(this.items);
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
    this.edit((items) => [...items, symbol]);
    return true;
  }

  /** Changes the sections and symbols of the current list; undefined if they stay as they are. */
  edit(act: (items: readonly ListItem[]) => readonly ListItem[]): ListChange | undefined {
    const { items: before, currentId: listId } = this;
    const after = bounded(act(before));
    if (after.length === before.length && after.every((item, at) => item === before[at])) return undefined;
    this.replace(listId, after);
    return { kind: "items", listId, before, after };
  }

  /** Removes symbols. If the selected one is among them, its neighbour on the screen is selected. */
  remove(symbols: readonly StockSymbol[], neighbour: StockSymbol | undefined): ListChange | undefined {
    const change = this.edit((items) => without(items, symbols));
    if (this.selectedSymbol !== undefined && symbols.includes(this.selectedSymbol)) this.selectedSymbol = neighbour ?? this.symbols[0];
    return change;
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
  create(name: string, items: readonly ListItem[] = []): boolean {
    if (this.kept.length >= MAX_LISTS) return false;
    const list = { id: this.newId(), name, items: bounded(items) };
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
    const { items, selected } = this;
    if (!this.isShared || !this.create(name, items)) return false;
    this.shared = undefined;
    if (selected !== undefined) this.select(selected);
    return true;
  }

  /** Deletes the current list, unless it is the only kept one. */
  delete(): ListChange | undefined {
    if (!this.canDelete) return undefined;
    const [list, at] = [this.current, this.index];
    this.shared = this.isShared ? undefined : this.shared;
    this.kept = this.kept.filter(({ id }) => id !== list.id);
    this.show(Math.min(at, this.all.length - 1));
    return { kind: "deleted", list, at };
  }

  /** Takes a change back and shows its list. A symbol that returns is selected. */
  revert(change: ListChange): void {
    if (change.kind === "deleted") {
      const { list, at } = change;
      if (list.id === SHARED_ID) this.shared = list;
      else if (!this.kept.some(({ id }) => id === list.id)) this.kept = [...this.kept.slice(0, at), list, ...this.kept.slice(at)];
      this.showId(list.id);
      return;
    }
    const { listId, before, after } = change;
    if (listId !== this.currentId && !this.showId(listId)) return;
    const now = this.symbols;
    this.edit((items) => reverted(items, before, after));
    const returned = this.symbols.find((symbol) => !now.includes(symbol));
    if (returned !== undefined) this.select(returned);
    else if (this.visited !== undefined && now.includes(this.visited)) this.selectedSymbol = this.symbols[0];
  }

  /** Shows shared symbols: an equal kept list, or else a list that is not kept. */
  openShared(symbols: readonly StockSymbol[], name: string): void {
    const items = symbolsOf(bounded(symbols));
    const same = this.kept.find((list) => symbolsOf(list.items).join() === items.join());
    if (same === undefined) this.shared = { id: SHARED_ID, name, items };
    this.showId(same?.id ?? SHARED_ID);
  }

  /**
   * Takes over the lists that another tab stored. The current list and the selected symbol stay, if they are still
   * there.
   */
  update(text: string | null): void {
    const stored = usable(readLists(text).lists);
    if (stored.length === 0) return;
    const { index: at, selected, visited } = this;
    this.kept = stored;
    if (this.index < 0) this.show(Math.min(Math.max(0, at), this.all.length - 1));
    this.selectedSymbol = visited ?? (selected !== undefined && this.has(selected) ? selected : this.symbols[0]);
  }

  /** Serialises the kept lists for storage. */
  toText(): string {
    return writeLists(this.isShared ? this.kept[0]?.id : this.currentId, this.kept);
  }

  /** Parses stored lists; the default list if the text is missing or invalid. */
  static fromText(text: string | null, defaultName: string, newId: () => string): Watchlists {
    const stored = readLists(text);
    const lists = new Watchlists(stored.lists, defaultName, newId);
    lists.showId(stored.shown);
    return lists;
  }

  private replace(id: string, items: readonly ListItem[]): void {
    const replaced = (list: Watchlist) => (list.id === id ? { ...list, items } : list);
    this.kept = this.kept.map(replaced);
    this.shared = this.shared && replaced(this.shared);
    this.selectedSymbol ??= this.symbols[0];
  }
}

/** Lists with distinct ids, at most the maximum number. */
function usable(lists: readonly Watchlist[]): readonly Watchlist[] {
  const distinct = lists.filter(({ id }, at) => id !== SHARED_ID && lists.findIndex((other) => other.id === id) === at);
  return distinct.slice(0, MAX_LISTS);
}
