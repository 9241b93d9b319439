import { MAX_SYMBOLS, symbolsIn, Watchlists, type Removed } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { storage } from "../platform";
import type { InstrumentDirectory } from "../store";
import type { Strings } from "../strings";
import type { NoticeOptions } from "../view";

const STORAGE_KEY = "tapecast.lists";

/** Removals that can be undone: more than anyone remembers. */
const MAX_UNDO = 20;

/** Names of unknown symbols in a notice. */
const MAX_NAMES = 8;

export interface ListEditorActions {
  /** The lists, the current one or the selected symbol changed. */
  readonly changed: () => void;
  readonly notify: (sentence: string, options: NoticeOptions) => void;
  /** The notice's action is done or no longer possible. */
  readonly endAction: () => void;
  readonly strings: () => Strings;
}

/**
 * Changes of the watchlists by the user: with undo, and in step with the other tabs.
 *
 * Each change is made to the lists as they are stored now, because another tab may have changed them since.
 */
export class ListEditor {
  readonly lists: Watchlists;
  private readonly instruments: InstrumentDirectory;
  private readonly actions: ListEditorActions;
  private readonly undoable: (() => void)[] = [];

  constructor(instruments: InstrumentDirectory, actions: ListEditorActions) {
    this.instruments = instruments;
    this.actions = actions;
    const newId = () => Math.random().toString(36).slice(2, 10);
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

  /** Adds the symbols in a text; false if it has none. Unknown ones are told and left out, if the symbols are loaded. */
  addText(text: string): boolean {
    const named = symbolsIn(text);
    if (named.length === 0) return false;
    const known = named.filter((symbol) => this.instruments.isKnown(symbol) !== "no");
    const unknown = named.filter((symbol) => this.instruments.isKnown(symbol) === "no");
    const { notice } = this.actions.strings();
    const added = known.filter((symbol) => !this.lists.has(symbol)).slice(0, MAX_SYMBOLS - this.lists.symbols.length);
    if (known[0] !== undefined) {
      const first = added[0] ?? known[0];
      this.change(() => {
        for (const symbol of added) this.lists.add(symbol);
        this.lists.select(first);
      });
    }
    const told = [
      ...(added.length > 0 ? [notice.added(namesOf(added))] : []),
      ...(unknown.length > 0 ? [notice.unknownSymbols(namesOf(unknown))] : []),
      ...(added.length === 0 && known.length > 0 ? [notice.alreadyListed(namesOf(known))] : []),
    ].join(" ");
    if (added.length === 0) this.actions.notify(told, { kind: "info" });
    else this.offerUndo(told, () => { added.forEach((symbol) => { this.lists.remove(symbol, undefined); }); });
    return true;
  }

  /** Removes symbols of the current list; the selection moves to the neighbour. */
  remove(symbols: readonly StockSymbol[], neighbour: StockSymbol | undefined): void {
    const removed: Removed[] = [];
    this.change(() => {
      for (const symbol of symbols) removed.push(...[this.lists.remove(symbol, neighbour) ?? []].flat());
    });
    if (removed.length === 0) return;
    const sentence = this.actions.strings().notice.removed(namesOf(symbols));
    this.offerUndo(sentence, () => { removed.reverse().forEach((one) => { this.lists.restore(one); }); });
  }

  /** Deletes the current list. */
  delete(): void {
    let removed: Removed | undefined;
    this.change(() => {
      removed = this.lists.delete();
    });
    const list = removed;
    if (list?.kind !== "list") return;
    this.offerUndo(this.actions.strings().notice.removed(list.list.name), () => { this.lists.restore(list); });
  }

  /** Takes the last removal or addition back; false if there is none. */
  undo(): boolean {
    const act = this.undoable.pop();
    if (act === undefined) return false;
    this.actions.endAction();
    this.change(act);
    return true;
  }

  private offerUndo(sentence: string, act: () => void): void {
    this.undoable.push(act);
    this.undoable.splice(0, this.undoable.length - MAX_UNDO);
    const { undo } = this.actions.strings();
    this.actions.notify(sentence, { kind: "info", action: { label: undo, run: () => this.undo() } });
  }

  private tellIfFull(isDone: boolean): void {
    if (!isDone) this.actions.notify(this.actions.strings().notice.fullLists, { kind: "info" });
  }
}

/** The names of these symbols, the first ones if they are many. */
function namesOf(symbols: readonly string[]): string {
  return symbols.slice(0, MAX_NAMES).join(", ") + (symbols.length > MAX_NAMES ? ", …" : "");
}
