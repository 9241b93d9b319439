import type { ItemPlace } from "../market";
import { make } from "./dom";

/** A press that moves less than this is none of a drag. */
const DRAG_PX = 6;

/** A finger that stays for this long lifts the row. */
const HOLD_MS = 450;

/** A finger that moves further than this meanwhile scrolls or swipes. */
const STILL_PX = 10;

/** The grid scrolls while a row is held within this distance of its edges, by this many pixels per frame. */
const EDGE_PX = 28;
const SCROLL_PX = 6;

export interface RowDragActions {
  /** False, and told why, while rows cannot be moved. */
  readonly canMove: () => boolean;
  readonly drop: (id: string, place: ItemPlace) => void;
  /** A finger held a row and did not move it. */
  readonly held: (id: string, row: HTMLElement) => void;
  /** The element that scrolls. */
  readonly viewport: () => Element | null;
}

interface Drag {
  readonly row: HTMLElement;
  readonly id: string;
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
  readonly isTouch: boolean;
  phase: "pressed" | "lifted" | "dragged";
  place: ItemPlace | undefined;
}

/**
 * Lets rows be dragged up and down: by the mouse at once, by a finger that held the row first, because a finger that moves
 * at once scrolls or swipes. A line shows where the row goes.
 */
export class RowDrag {
  private readonly box: HTMLElement;
  private readonly rowSelector: string;
  private readonly actions: RowDragActions;
  private readonly line = make("div", "row-drop-line");
  private drag: Drag | undefined;
  private hold: ReturnType<typeof setTimeout> | undefined;
  private pointerY = 0;
  private isClickSwallowed = false;

  constructor(box: HTMLElement, rowSelector: string, actions: RowDragActions) {
    this.box = box;
    this.rowSelector = rowSelector;
    this.actions = actions;
    box.addEventListener("pointerdown", (event) => {
      this.press(event);
    });
    box.addEventListener("pointermove", (event) => {
      this.move(event);
    });
    box.addEventListener("pointerup", (event) => {
      this.release(event);
    });
    box.addEventListener("pointercancel", () => {
      this.end();
    });
    // A finger that holds a row does not scroll.
    box.addEventListener("touchmove", (event) => {
      if (this.drag !== undefined && this.drag.phase !== "pressed" && event.cancelable) event.preventDefault();
    }, { passive: false });
    // A finger that lets a row go does not tap what is below it by then, such as the menu.
    box.addEventListener("touchend", (event) => {
      if (this.isClickSwallowed) event.preventDefault();
    });
    // A drag is no click: the row below the pointer is not selected.
    box.addEventListener("click", (event) => {
      if (!this.isClickSwallowed) return;
      this.isClickSwallowed = false;
      event.stopPropagation();
      event.preventDefault();
    }, { capture: true });
    box.addEventListener("keydown", (press) => {
      if (press.key !== "Escape" || this.drag?.phase !== "dragged") return;
      press.stopPropagation();
      this.end();
    }, { capture: true });
  }

  private press({ target, button, pointerType, pointerId, clientX: x, clientY: y }: PointerEvent): void {
    this.isClickSwallowed = false;
    const row = target instanceof Element && target.closest("button, .flag") === null ? target.closest<HTMLElement>(this.rowSelector) : null;
    const id = row?.getAttribute("row-id");
    if (row === null || id === null || id === undefined || button !== 0 || this.drag !== undefined) return;
    const isTouch = pointerType === "touch";
    this.drag = { row, id, pointerId, x, y, isTouch, phase: "pressed", place: undefined };
    if (isTouch) this.hold = setTimeout(() => { this.lift(); }, HOLD_MS);
  }

  private lift(): void {
    if (this.drag === undefined) return;
    this.drag.phase = "lifted";
    this.drag.row.dataset["lifted"] = "true";
  }

  private move({ pointerId, clientX, clientY }: PointerEvent): void {
    const { drag } = this;
    if (drag?.pointerId !== pointerId) return;
    const distance = Math.hypot(clientX - drag.x, clientY - drag.y);
    if (drag.phase === "pressed" && drag.isTouch) {
      if (distance > STILL_PX) this.end();
      return;
    }
    if (drag.phase !== "dragged") {
      if (distance < DRAG_PX) return;
      if (!this.actions.canMove()) {
        this.end();
        return;
      }
      this.begin(drag);
    }
    this.pointerY = clientY;
    this.aim(drag);
  }

  private begin(drag: Drag): void {
    drag.phase = "dragged";
    drag.row.dataset["lifted"] = "true";
    this.box.ownerDocument.getSelection()?.removeAllRanges();
    this.box.setPointerCapture(drag.pointerId);
    this.box.append(this.line);
    this.scrollAtEdges(drag);
  }

  /** Shows where the row would go. */
  private aim(drag: Drag): void {
    drag.row.style.translate = `0 ${this.pointerY - drag.y}px`;
    const rows = [...this.box.querySelectorAll<HTMLElement>(this.rowSelector)].filter((row) => row !== drag.row);
    const boxes = rows.map((row) => ({ id: row.getAttribute("row-id") ?? "", rect: row.getBoundingClientRect() })).sort((a, b) => a.rect.top - b.rect.top);
    const next = boxes.find(({ rect }) => this.pointerY < rect.top + rect.height / 2);
    const last = boxes.at(-1);
    const [top, place] = next === undefined ? [last?.rect.bottom, last && { after: last.id }] : [next.rect.top, { before: next.id }];
    drag.place = place;
    this.line.hidden = top === undefined;
    this.line.style.translate = `0 ${(top ?? 0) - this.box.getBoundingClientRect().top}px`;
  }

  private scrollAtEdges(drag: Drag): void {
    if (this.drag !== drag) return;
    const viewport = this.actions.viewport();
    const rect = viewport?.getBoundingClientRect();
    if (viewport !== null && rect !== undefined) {
      const isUp = this.pointerY < rect.top + EDGE_PX;
      if (isUp || this.pointerY > rect.bottom - EDGE_PX) {
        viewport.scrollTop += isUp ? -SCROLL_PX : SCROLL_PX;
        this.aim(drag);
      }
    }
    (this.box.ownerDocument.defaultView ?? window).requestAnimationFrame(() => {
      this.scrollAtEdges(drag);
    });
  }

  private release({ pointerId }: PointerEvent): void {
    const { drag } = this;
    if (drag?.pointerId !== pointerId) return;
    this.end();
    if (drag.phase === "pressed") return;
    this.isClickSwallowed = true;
    if (drag.phase === "lifted") this.actions.held(drag.id, drag.row);
    else if (drag.place !== undefined) this.actions.drop(drag.id, drag.place);
  }

  private end(): void {
    clearTimeout(this.hold);
    if (this.drag !== undefined) {
      delete this.drag.row.dataset["lifted"];
      this.drag.row.style.translate = "";
    }
    this.drag = undefined;
    this.line.remove();
  }
}
