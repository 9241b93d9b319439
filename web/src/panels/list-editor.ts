import {
  changedSection, isSection, itemId, MAX_NAME, moved, readListFile, Watchlists, withImported, without, withSection, writeListFile,
  type Flag, type ImportedSymbol, type ItemPlace, type ListChange, type ListFormat, type ListItem, type Position, type Section,
} from "../market";
import type { StockSymbol } from "@tapecast/client";
import { storage } from "../platform";
import type { InstrumentDirectory } from "../store";
import { SymbolNotes } from "./symbol-notes";
import { UndoHistory, type UndoActions } from "./undo-history";

const STORAGE_KEY = "tapecast.lists";

/** Names of symbols in a notice, and the length of what was not understood. */
const MAX_NAMES = 8;
const MAX_QUOTE = 24;

export interface ListEditorActions extends UndoActions {
  /** The lists, the current one or the selected symbol changed. */
  readonly changed: () => void;
}

/**
 * Changes of the watchlists, flags and positions by the user: with undo, and in step with the other tabs.
 *
 * Each change is made to the lists as they are stored now, because another tab may have changed them since.
 */
export class ListEditor {
  readonly lists: Watchlists;
  /** Flags and positions. */
  readonly notes = new SymbolNotes();
  private readonly history: UndoHistory;
  private readonly instruments: InstrumentDirectory;
  private readonly actions: ListEditorActions;

  constructor(instruments: InstrumentDirectory, actions: ListEditorActions) {
    this.instruments = instruments;
    this.actions = actions;
    this.history = new UndoHistory(actions);
    this.lists = Watchlists.fromText(storage.load(STORAGE_KEY), actions.strings().lists.first, newId);
    storage.onChange(STORAGE_KEY, () => {
      this.lists.update(storage.load(STORAGE_KEY));
      actions.changed();
    });
  }

  /** Changes the lists and stores them. */
  change(act: () => unknown): void {
    this.lists.update(storage.load(STORAGE_KEY));
    act();
    storage.save(STORAGE_KEY, this.lists.toText());
    this.actions.changed();
  }

  /** Switches to another list of this tab. */
  show(index: number): void {
    this.change(() => {
      this.lists.show(index);
    });
  }

  create(name: string): void {
    this.change(() => {
      this.tellIfFull(this.lists.create(name));
    });
  }

  rename(name: string): void {
    this.change(() => {
      this.tellIfFull(this.lists.rename(name));
    });
  }

  /** Keeps the shared list. */
  keep(): void {
    this.change(() => {
      this.tellIfFull(this.lists.keep(this.lists.current.name));
    });
  }

  /** Adds a symbol and selects it. */
  add(symbol: StockSymbol): void {
    this.change(() => {
      if (!this.lists.add(symbol)) this.actions.notify(this.actions.strings().notice.full, { kind: "info" });
      this.lists.select(symbol);
    });
  }

  /**
   * Adds what a text of a file or the clipboard has: symbols, sections, positions; false if it has none. What is unknown or
   * not understood is told and left out.
   */
  addText(text: string): boolean {
    const { symbols, notUnderstood } = readListFile(text);
    if (symbols.length === 0) return false;
    const isUnknown = ({ symbol }: ImportedSymbol) => this.instruments.isKnown(symbol) === "no";
    const unknown = [...new Set(symbols.filter(isUnknown).map(({ symbol }) => symbol))];
    const known = symbols.filter((one) => !isUnknown(one));
    const before = new Set<StockSymbol>(this.lists.symbols);
    const change = known.length === 0 ? undefined : this.edit((items) => withImported(items, known, newId), (lists) => {
      const first = known.find(({ symbol }) => lists.has(symbol) && !before.has(symbol)) ?? known[0];
      if (first !== undefined) lists.select(first.symbol);
    });
    const positions = known.flatMap(({ symbol, position }) => (position === undefined || !this.lists.has(symbol) ? [] : [[symbol, position] as const]));
    const formerly = positions.map(([symbol]) => [symbol, this.notes.positionOf(symbol)] as const);
    if (positions.length > 0) this.notes.setPositions(positions);
    const added = this.lists.symbols.filter((symbol) => !before.has(symbol));
    const left = known.some(({ symbol }) => !this.lists.has(symbol));
    const { notice } = this.actions.strings();
    const told = [
      ...(added.length > 0 ? [notice.added(namesOf(added))] : []),
      ...(positions.length > 0 ? [notice.positionsSet(positions.length)] : []),
      ...(unknown.length > 0 ? [notice.unknownSymbols(namesOf(unknown))] : []),
      ...(notUnderstood.length > 0 ? [notice.notUnderstood(namesOf(notUnderstood.map((one) => one.slice(0, MAX_QUOTE))))] : []),
      ...(added.length === 0 && positions.length === 0 && known.length > 0 ? [notice.alreadyListed(namesOf(known.map(({ symbol }) => symbol)))] : []),
      ...(left ? [notice.full] : []),
    ].join(" ");
    if (change === undefined && positions.length === 0) this.actions.notify(told, { kind: "info" });
    else {
      this.history.offer(told, () => {
        if (positions.length > 0) this.notes.setPositions(formerly);
        if (change !== undefined) this.revert(change);
      });
    }
    return true;
  }

  /** The current list as the text of a file. */
  exported(format: ListFormat): string {
    return writeListFile(format, this.lists.items, { exchange: (symbol) => this.instruments.exchangeOf(symbol), position: this.notes.positionOf });
  }

  /** Removes symbols of the current list; the selection moves to the neighbour. */
  remove(symbols: readonly StockSymbol[], neighbour: StockSymbol | undefined): void {
    let change: ListChange | undefined;
    this.change(() => {
      change = this.lists.remove(symbols, neighbour);
    });
    this.offerUndo(namesOf(symbols), change);
  }

  /** Deletes the current list. */
  delete(): void {
    const { name } = this.lists.current;
    let change: ListChange | undefined;
    this.change(() => {
      change = this.lists.delete();
    });
    this.offerUndo(name, change);
  }

  /** Adds a section before an item, or at the end; returns its id. */
  addSection(name: string, before: string | undefined): string {
    const section: Section = { id: newId(), name: name.slice(0, MAX_NAME), isFolded: false };
    this.editAndRecord((items) => withSection(items, section, before));
    return itemId(section);
  }

  renameSection(id: string, name: string): void {
    this.editAndRecord((items) => changedSection(items, id, { name: name.slice(0, MAX_NAME) }));
  }

  /** Removes a section. Its symbols stay. */
  removeSection(id: string): void {
    const name = this.lists.items.find((item) => isSection(item) && itemId(item) === id);
    const change = this.edit((items) => without(items, [id]));
    if (name !== undefined && isSection(name)) this.offerUndo(name.name, change);
  }

  /** Folds or unfolds a section. */
  fold(id: string, isFolded: boolean): void {
    this.edit((items) => changedSection(items, id, { isFolded }));
  }

  /** Moves an item; false if it stays where it is. */
  move(id: string, place: ItemPlace): boolean {
    return this.editAndRecord((items) => moved(items, id, place));
  }

  setFlag(symbol: StockSymbol, flag: Flag | undefined): void {
    const before = this.notes.flagOf(symbol);
    this.notes.setFlag(symbol, flag);
    this.history.record(() => {
      this.notes.setFlag(symbol, before);
    });
  }

  /** Sets or removes the position in a symbol. */
  setPosition(symbol: StockSymbol, position: Position | undefined): void {
    const before = this.notes.positionOf(symbol);
    this.notes.setPositions([[symbol, position]]);
    this.history.record(() => {
      this.notes.setPositions([[symbol, before]]);
    });
  }

  /** Takes the last change back; false if there is none. */
  undo(): boolean {
    return this.history.undo();
  }

  /** Changes the sections and symbols of the current list. */
  private edit(act: (items: readonly ListItem[]) => readonly ListItem[], then?: (lists: Watchlists) => void): ListChange | undefined {
    let change: ListChange | undefined;
    this.change(() => {
      change = this.lists.edit(act);
      then?.(this.lists);
    });
    return change;
  }

  /** Changes something whose effect is in sight, so that no notice offers to take it back. */
  private editAndRecord(act: (items: readonly ListItem[]) => readonly ListItem[]): boolean {
    const change = this.edit(act);
    if (change === undefined) return false;
    this.history.record(() => {
      this.revert(change);
    });
    return true;
  }

  private revert(change: ListChange): void {
    this.change(() => {
      this.lists.revert(change);
    });
  }

  private offerUndo(removed: string, change: ListChange | undefined): void {
    if (change === undefined) return;
    this.history.offer(this.actions.strings().notice.removed(removed), () => {
      this.revert(change);
    });
  }

  private tellIfFull(isDone: boolean): void {
    if (!isDone) this.actions.notify(this.actions.strings().notice.fullLists, { kind: "info" });
  }
}

const newId = (): string => Math.random().toString(36).slice(2, 10);

/** The names of these symbols, the first ones if they are many. */
function namesOf(symbols: readonly string[]): string {
  return symbols.slice(0, MAX_NAMES).join(", ") + (symbols.length > MAX_NAMES ? ", …" : "");
}
