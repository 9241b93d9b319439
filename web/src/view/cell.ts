import { NONE } from "../format";
import { make } from "./dom";

/** Whether a figure is above, below or at what it is compared with; CSS gives it its colour. */
export type Sign = "up" | "down" | "flat";

export function signOf(difference: number): Sign {
  if (difference > 0) return "up";
  return difference < 0 ? "down" : "flat";
}

/** A figure on the page. Writes only what changed, and on the smallest node. */
export class Figure {
  readonly node: HTMLElement = make("span", "figure");
  private readonly text = document.createTextNode(NONE);
  private shown: number | undefined;
  private flashes = 0;

  constructor() {
    this.node.append(this.text);
  }

  /** Shows a value; when it rose or fell since it was last shown, it flashes. */
  flash(value: number | undefined, format: (value: number) => string): void {
    const before = this.shown;
    this.show(value, format);
    if (before === undefined || value === undefined || value === before) return;
    // Two names for one movement take turns: a new name starts it anew without forcing a layout.
    this.flashes += 1;
    this.node.dataset["flash"] = `${signOf(value - before)}-${this.flashes % 2}`;
  }

  /** Shows a value without a flash. */
  show(value: number | undefined, format: (value: number) => string): void {
    if (value === this.shown) return;
    this.shown = value;
    const text = value === undefined ? NONE : format(value);
    if (this.text.data !== text) this.text.data = text;
  }

  sign(sign: Sign): void {
    if (this.node.dataset["sign"] !== sign) this.node.dataset["sign"] = sign;
  }
}
