import { beside, firstLayout, moved, placementOf, readLayout, resized, swapped, treeOf, without, withTree, writeLayout, type Direction, type Form, type Layout, type LayoutNode, type Rows } from "../layout";
import { storage } from "../platform";
import { Board, screenForm, onScreenForm, type DropPlace } from "../view";

const STORAGE_KEY = "tapecast.layout";

export interface ArrangementActions {
  readonly nodeOf: (id: string) => HTMLElement | undefined;
  /** The name of the bar between two panels. */
  readonly labelOf: (between: readonly [string, string]) => string;
  readonly rows: () => Rows;
  /** The screen is of another form. */
  readonly formChanged: () => void;
}

/**
 * Which panels are open on the board and where.
 *
 * The layout is stored at each change. A tab that is open keeps its own, so that two windows on two screens may differ;
 * a new one begins with the layout that was changed last.
 */
export class Arrangement {
  private readonly board: Board;
  private readonly actions: ArrangementActions;
  private readonly first: readonly string[];
  private layout: Layout;
  private form: Form | "stacked" = screenForm();
  /** The tree before the resize under way. */
  private grabbed: LayoutNode | undefined;

  /** `first` are the panels that are open at first, `known` all of them. */
  constructor(known: readonly string[], first: readonly string[], actions: ArrangementActions) {
    this.actions = actions;
    this.first = first;
    this.layout = readLayout(storage.load(STORAGE_KEY), known) ?? firstLayout(first);
    this.board = new Board({
      grab: () => {
        this.grabbed = this.tree;
      },
      resize: ({ separator: { path, index }, pixels, extent, rem }) => {
        if (this.grabbed !== undefined) this.show(resized(this.grabbed, path, index, { pixels, extent, rem }));
      },
      drop: () => {
        this.grabbed = undefined;
        this.save();
      },
      labelOf: actions.labelOf,
    });
    onScreenForm(() => {
      this.form = screenForm();
      this.apply();
      actions.formChanged();
    });
  }

  get box(): HTMLElement {
    return this.board.node;
  }

  get open(): readonly string[] {
    return this.layout.open;
  }

  has(id: string): boolean {
    return this.open.includes(id);
  }

  /** False where the panels are below each other: on phones and tablets. */
  get isTiled(): boolean {
    return this.form !== "stacked";
  }

  add(id: string): void {
    if (this.has(id)) return;
    this.layout = { ...this.layout, open: [...this.open, id] };
    this.changed();
  }

  remove(id: string): void {
    if (!this.has(id)) return;
    this.layout = { ...this.layout, open: this.open.filter((other) => other !== id) };
    this.changed();
  }

  /** Restores the first layout. */
  reset(): void {
    this.layout = firstLayout(this.first);
    storage.remove(STORAGE_KEY);
    this.apply();
  }

  move(id: string, direction: Direction): void {
    if (this.tree === undefined) return;
    this.show(moved(this.tree, id, direction));
    this.save();
  }

  /** The directions in which a move changes something. */
  movesOf(id: string): readonly Direction[] {
    const { tree } = this;
    if (tree === undefined) return [];
    return (["left", "up", "down", "right"] as const).filter((direction) => moved(tree, id, direction) !== tree);
  }

  /** Puts a panel beside another one or in its place. */
  drop(id: string, target: string, place: DropPlace): void {
    const rest = without(this.tree, id);
    if (this.tree === undefined || rest === undefined) return;
    this.show(place === "swap" ? swapped(this.tree, id, target) : beside(rest, target, place, id));
    this.save();
  }

  /** Puts every open panel in its place. */
  apply(): void {
    const { tree } = this;
    if (this.form === "stacked") this.board.stack(this.open.flatMap((id) => this.actions.nodeOf(id) ?? []));
    else this.board.place(placementOf(tree), this.actions.nodeOf);
  }

  translate(): void {
    this.board.translate();
  }

  private get tree(): LayoutNode | undefined {
    return this.form === "stacked" ? undefined : treeOf(this.layout, this.form, this.actions.rows());
  }

  private show(tree: LayoutNode | undefined): void {
    if (this.form === "stacked") return;
    this.layout = withTree(this.layout, this.form, tree);
    this.apply();
  }

  private changed(): void {
    // The tree as it is now is kept, with the new panel in the place that was found for it.
    if (this.form !== "stacked") this.layout = withTree(this.layout, this.form, this.tree);
    this.apply();
    this.save();
  }

  private save(): void {
    storage.save(STORAGE_KEY, writeLayout(this.layout));
  }
}
