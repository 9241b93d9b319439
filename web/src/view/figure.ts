import { NONE } from "../format";
import { make } from "./dom";
import type { Flashes } from "./flashes";

/** The sign of a difference. CSS maps it to a colour. */
export type Sign = "up" | "down" | "flat";

export function signOf(difference: number): Sign {
  if (difference > 0) return "up";
  return difference < 0 ? "down" : "flat";
}

/** A number on the page. Writes to the DOM only if its text changed. */
export class Figure {
  readonly node: HTMLElement = make("span", "figure");
  private readonly text = document.createTextNode(NONE);
  private shown: number | undefined;

  constructor() {
    this.node.append(this.text);
  }

  /** Shows a value, with a flash if it differs from the previous one. */
  showWithFlash(value: number | undefined, format: (value: number) => string, flashes: Flashes): void {
    const before = this.shown;
    this.show(value, format);
    if (before === undefined || value === undefined || value === before) return;
    flashes.flash(this.node, value > before ? "up" : "down");
  }

  /** Shows a value without a flash. */
  show(value: number | undefined, format: (value: number) => string): void {
    if (value === this.shown) return;
    this.shown = value;
    const text = value === undefined ? NONE : format(value);
    if (this.text.data !== text) this.text.data = text;
  }

  setSign(sign: Sign): void {
    if (this.node.dataset["sign"] !== sign) this.node.dataset["sign"] = sign;
  }
}
