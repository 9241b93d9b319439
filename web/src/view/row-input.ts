import type { ItemPlace } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { GridRow, SectionRow } from "./grid-rows";
import { RowDrag } from "./row-drag";
import { listenToHover } from "./row-hover";
import { rowCommandOf, type RowCommand } from "./row-keys";
import { listenToSwipes } from "./row-swipe";

/** What the user does with rows. */
export interface RowActions {
  /** A row was clicked or tapped. */
  readonly tapped: () => void;
  readonly remove: (symbol: StockSymbol) => void;
  /** A key, a menu key, a click on a flag or a long touch: `at` is where it was. */
  readonly command: (command: RowCommand, id: string, at: DOMRect) => void;
  /** False, and told why, while rows cannot be moved. */
  readonly canMove: () => boolean;
  readonly move: (id: string, place: ItemPlace) => void;
  /** The pointer rests on a row, or left it. */
  readonly hover: (symbol: StockSymbol | undefined, at: DOMRect | undefined) => void;
}

/** What the grid knows of its rows. */
export interface RowInput extends RowActions {
  readonly rowOf: (id: string) => GridRow | SectionRow | undefined;
  readonly viewport: () => Element | null;
  /** A key was pressed on a row. */
  readonly used: () => void;
  readonly clicked: () => void;
}

/** The rows that can be moved and have menus: not that of the total. */
const ROW = ".ag-row:not(.ag-row-pinned)";

/** Listens to pointers, fingers and keys on the rows of the grid in this box. */
export function listenToRows(box: HTMLElement, input: RowInput): void {
  /** The id of the row of an element; undefined if it is in none, or in that of the total. */
  const idAt = (target: EventTarget | null): string | undefined => {
    const id = target instanceof Element ? (target.closest(ROW)?.getAttribute("row-id") ?? "") : "";
    return input.rowOf(id) === undefined ? undefined : id;
  };
  const symbolAt = (target: Element): StockSymbol | undefined => {
    const row = input.rowOf(idAt(target) ?? "");
    return row?.kind === "symbol" ? row.symbol : undefined;
  };
  const rectOf = (id: string): DOMRect =>
    [...box.querySelectorAll(ROW)].find((row) => row.getAttribute("row-id") === id)?.getBoundingClientRect() ?? box.getBoundingClientRect();

  // Before the click of a row: it is no click after a drag.
  new RowDrag(box, ROW, {
    ...input,
    drop: input.move,
    held: (id, row) => {
      input.command("menu", id, row.getBoundingClientRect());
    },
  });
  // The grid reports focus and selection in a later task, which may run after the next key press. These listeners run
  // after its own, so that a click or an arrow key takes effect before the key that follows it.
  box.addEventListener("click", ({ target }) => {
    const [id, flag] = [idAt(target), target instanceof Element ? target.closest(".flag") : null];
    input.clicked();
    if (id === undefined) return;
    if (input.rowOf(id)?.kind === "section") input.command("toggle", id, rectOf(id));
    else if (flag !== null) input.command("menu", id, flag.getBoundingClientRect());
    else input.tapped();
  });
  listenToSwipes(box, ROW, (row) => {
    const symbol = symbolAt(row);
    if (symbol !== undefined) input.remove(symbol);
  });
  // By the menu key or the second button of a mouse; a finger holds the row.
  box.addEventListener("contextmenu", (event) => {
    const id = idAt(event.target);
    if (id === undefined) return;
    event.preventDefault();
    if (event instanceof PointerEvent && event.pointerType === "touch") return;
    const isByMouse = event instanceof PointerEvent && event.pointerType === "mouse" && event.button === 2;
    input.command("menu", id, isByMouse ? new DOMRect(event.clientX, event.clientY) : rectOf(id));
  });
  listenToHover(box, ROW, (row) => {
    input.hover(row === undefined ? undefined : symbolAt(row), row?.getBoundingClientRect());
  });
  // Before the grid, which uses some of the keys itself.
  box.addEventListener("keydown", (press) => {
    const id = idAt(press.target);
    const row = id === undefined ? undefined : input.rowOf(id);
    const command = row === undefined ? undefined : rowCommandOf(press, row.kind);
    if (id === undefined || command === undefined) return;
    press.preventDefault();
    press.stopPropagation();
    input.command(command, id, rectOf(id));
  }, { capture: true });
  box.addEventListener("keydown", ({ target }) => {
    if (idAt(target) !== undefined) input.used();
  });
}
