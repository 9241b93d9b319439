import { NONE } from "../format";
import type { Ticker } from "@tapecast/client";
import { dayChange, TickFlashes } from "../market";
import { make } from "./dom";
import type { Flashes } from "./flashes";

/** The sign of a difference. CSS maps it to a colour. */
export type Sign = "up" | "down" | "flat";

export function signOf(difference: number): Sign {
  if (difference > 0) return "up";
  return difference < 0 ? "down" : "flat";
}

/** The sign of a symbol's day, the one meaning of colour in its row. */
export const daySign = (ticker: Ticker | undefined): Sign => signOf(dayChange(ticker)?.dollars ?? 0);

/** A number on the page. Writes to the DOM only if its text changed. */
export class Figure {
  readonly node: HTMLElement = make("span", "figure");
  private readonly text = document.createTextNode(NONE);
  private readonly ticks = new TickFlashes();
  private shown: number | undefined;

  constructor() {
    this.node.append(this.text);
  }

  /** Shows a value. Changes flash: each one of a figure at rest, the large ones of a busy figure. */
  showWithFlash(value: number | undefined, format: (value: number) => string, flashes: Flashes): void {
    if (value === this.shown) return;
    this.show(value, format);
    if (value !== undefined) flashes.change(this.node, this.ticks, value);
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
