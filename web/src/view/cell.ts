import { NONE } from "../format";
import { make } from "./dom";
import type { Flashes } from "./flashes";

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

  constructor() {
    this.node.append(this.text);
  }

  /** Shows a value; when it rose or fell since it was last shown, it flashes. */
  flash(value: number | undefined, format: (value: number) => string, flashes: Flashes): void {
    const before = this.shown;
    this.show(value, format);
    if (before === undefined || value === undefined || value === before) return;
    flashes.light(this.node, value > before ? "up" : "down");
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
