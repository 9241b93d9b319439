import { make, setText } from "./dom";
import type { LineNumber } from "./line-style";

/** A line of the chart with its value. */
export interface LegendEntry {
  readonly name: string;
  readonly value: string;
  /** Undefined for the chart's own symbol, whose prices have no line of this kind. */
  readonly line: LineNumber | undefined;
}

/** The names of a chart's lines, each with a sample of the line and its value at the crosshair. */
export class StudyLegend {
  readonly node = make("ul", "study-legend");
  private items: readonly { readonly node: HTMLElement; readonly name: HTMLElement; readonly value: HTMLElement; readonly sample: HTMLElement }[] = [];

  draw(entries: readonly LegendEntry[]): void {
    if (entries.length !== this.items.length) this.makeItems(entries.length);
    this.node.hidden = entries.length === 0;
    this.items.forEach(({ name, value, sample }, at) => {
      const entry = entries[at];
      const line = entry?.line === undefined ? "none" : String(entry.line);
      if (sample.dataset["line"] !== line) sample.dataset["line"] = line;
      setText(name, entry?.name ?? "");
      setText(value, entry?.value ?? "");
    });
  }

  private makeItems(count: number): void {
    this.items = Array.from({ length: count }, () => {
      const [sample, name, value] = [make("span", "line-sample"), make("span", "legend-name"), make("span", "legend-value")];
      return { node: make("li", "", sample, name, " ", value), sample, name, value };
    });
    this.node.replaceChildren(...this.items.map(({ node }) => node));
  }
}
