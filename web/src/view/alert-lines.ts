import { formatPrice } from "../format";
import { make } from "./dom";
import { icon } from "./icons";

/** A level on the chart at which an alert is set. */
export interface AlertLevel {
  readonly id: string;
  readonly price: number;
  /** The accessible name of its handle. */
  readonly label: string;
}

/** The scale of the chart's prices. */
export interface PriceScale {
  /** The distance of a price from the chart's upper edge in px; undefined if there is no scale. */
  readonly yOf: (price: number) => number | undefined;
  readonly priceAt: (y: number) => number | undefined;
}

export interface AlertLinesActions {
  readonly levels: () => readonly AlertLevel[];
  /** A new line was dragged to this price, or the button was pressed without a drag. */
  readonly propose: (price: number | undefined) => void;
  readonly move: (id: string, price: number) => void;
  /** The accessible name of the button. */
  readonly label: () => string;
}

/** A drag shorter than this is a press. */
const DRAG_PX = 4;

/**
 * The alerts of the chart's symbol as lines over it, with handles that can be dragged, and a button from which a new line
 * is dragged. The lines are HTML over the canvas, so that handles work by touch and by keyboard.
 */
export class AlertLines {
  private readonly box = make("div", "alert-lines");
  private readonly add = make("button", "alert-handle alert-add", icon("bell"));
  private readonly ghost = make("div", "alert-line alert-ghost");
  private readonly lines = new Map<string, HTMLElement>();
  private readonly scale: PriceScale;
  private readonly actions: AlertLinesActions;
  private dragged: string | undefined;

  /** `chart` is the box that the lines lie over. */
  constructor(chart: HTMLElement, scale: PriceScale, actions: AlertLinesActions) {
    this.scale = scale;
    this.actions = actions;
    this.add.type = "button";
    this.ghost.hidden = true;
    this.box.append(this.ghost, this.add);
    chart.after(this.box);
    this.makeDraggable(this.add, this.ghost, (price) => {
      actions.propose(price);
    });
    this.draw();
  }

  draw(): void {
    const label = this.actions.label();
    if (this.add.ariaLabel !== label) Object.assign(this.add, { ariaLabel: label, title: label });
    const levels = this.actions.levels();
    for (const [id, line] of this.lines) {
      if (levels.some((level) => level.id === id)) continue;
      line.remove();
      this.lines.delete(id);
    }
    for (const level of levels) {
      if (level.id !== this.dragged) this.place(this.lineOf(level), level.price);
    }
  }

  private lineOf({ id, label }: AlertLevel): HTMLElement {
    const known = this.lines.get(id);
    const handle = known?.querySelector("button") ?? make("button", "alert-handle", icon("bell"));
    if (handle.ariaLabel !== label) Object.assign(handle, { ariaLabel: label, title: label });
    if (known !== undefined) return known;
    handle.type = "button";
    const line = make("div", "alert-line", handle);
    this.lines.set(id, line);
    this.box.append(line);
    this.makeDraggable(handle, line, (price) => {
      if (price === undefined) return;
      this.actions.move(id, price);
    }, id);
    handle.addEventListener("keydown", (press) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[press.key];
      const top = this.topOf(line);
      const price = step === undefined ? undefined : this.scale.priceAt(top + step * (press.shiftKey ? 10 : 1));
      if (price === undefined) return;
      press.preventDefault();
      press.stopPropagation();
      this.actions.move(id, rounded(price));
    });
    return line;
  }

  private place(line: HTMLElement, price: number): void {
    const y = this.scale.yOf(price);
    const isVisible = y !== undefined && y >= 0 && y <= this.box.clientHeight;
    line.hidden = !isVisible;
    if (!isVisible) return;
    line.dataset["top"] = String(y);
    line.style.transform = `translateY(${y.toFixed(1)}px)`;
  }

  private topOf(line: HTMLElement): number {
    return Number(line.dataset["top"] ?? 0);
  }

  /** Calls back with the price at which the line is let go, or with none after a press without a drag. */
  private makeDraggable(handle: HTMLElement, line: HTMLElement, done: (price: number | undefined) => void, id?: string): void {
    let startY: number | undefined;
    let price: number | undefined;
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      startY = event.clientY;
      price = undefined;
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (startY === undefined || (price === undefined && Math.abs(event.clientY - startY) < DRAG_PX)) return;
      const { top, height } = this.box.getBoundingClientRect();
      const at = this.scale.priceAt(Math.min(Math.max(event.clientY - top, 0), height));
      if (at === undefined) return;
      price = rounded(at);
      this.dragged = id;
      this.place(line, price);
      line.dataset["price"] = formatPrice(price);
    });
    const end = (isDone: boolean) => {
      if (startY === undefined) return;
      startY = undefined;
      this.dragged = undefined;
      delete line.dataset["price"];
      this.ghost.hidden = true;
      if (isDone && price !== undefined) done(price);
    };
    handle.addEventListener("pointerup", () => { end(true); });
    handle.addEventListener("pointercancel", () => { end(false); });
    handle.addEventListener("click", () => {
      // The click that follows a drag is none.
      if (price === undefined) done(undefined);
      price = undefined;
    });
  }
}

/** A line is put on a whole cent. */
const rounded = (price: number): number => Math.max(0.01, Math.round(price * 100) / 100);
