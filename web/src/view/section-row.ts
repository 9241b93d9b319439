import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import type { SectionRow } from "./grid-rows";

/** The row of a section: its name, the number of its symbols, a mark of whether it is folded. */
export class SectionView {
  private readonly name = make("b", "section-name");
  private readonly count = make("span", "section-count");
  readonly node: HTMLElement;

  constructor() {
    const mark = make("span", "section-mark");
    mark.ariaHidden = "true";
    this.node = make("div", "section-row", mark, this.name, this.count);
    this.node.role = "gridcell";
  }

  draw({ name, isFolded, count }: SectionRow, { rows }: Strings): void {
    setText(this.name, name);
    setText(this.count, rows.symbols(count));
    setData(this.node, "folded", String(isFolded));
    this.node.ariaExpanded = String(!isFolded);
  }
}
