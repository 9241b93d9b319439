import { formatPercent, formatPrice } from "../format";
import type { Ohlc } from "@tapecast/client";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { signOf } from "./figure";

/** The values of one bar above the chart: of the bar under the crosshair, or else of the newest. */
export class Legend {
  readonly node = make("p", "legend");
  private readonly names = Array.from({ length: 5 }, () => make("span", "legend-name"));
  private readonly values = Array.from({ length: 5 }, () => make("span", "legend-value"));
  private readonly change = make("span", "legend-value");
  private pointed: Ohlc | undefined;
  private drawn: Ohlc | undefined;

  constructor() {
    this.node.ariaHidden = "true";
    this.node.append(...this.names.flatMap((name, at) => [name, this.values[at] ?? ""]), this.change);
  }

  point(bar: Ohlc | undefined): void {
    this.pointed = bar;
  }

  /** The bar whose values are shown. */
  get shown(): Ohlc | undefined {
    return this.drawn;
  }

  draw(newest: Ohlc | undefined, { legend, short }: Strings): void {
    const bar = this.pointed ?? newest;
    this.drawn = bar;
    this.node.hidden = bar === undefined;
    if (bar === undefined) return;
    const { open, high, low, close, volume } = bar;
    const texts = [...[open, high, low, close].map(formatPrice), short(volume)];
    this.names.forEach((name, at) => {
      setText(name, legend[at] ?? "");
    });
    this.values.forEach((value, at) => {
      setText(value, texts[at] ?? "");
    });
    setText(this.change, formatPercent(close / open - 1));
    this.node.dataset["sign"] = signOf(close - open);
  }
}
