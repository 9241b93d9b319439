import { isActive, MIN_SIZES, SALES_GROUPS, type SalesFilter, type SalesGroup } from "../market";
import { shares } from "@tapecast/client";
import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { icon } from "./icons";
import { iconButton } from "./panel-parts";

/** Shows all trades. */
const EVERYTHING: SalesFilter = { minSize: shares(0), hidden: [] };

/** Chooses which trades are listed: by their size and by their conditions. Opened by a button. */
export class SalesFilterForm {
  readonly node = make("form", "sales-filter");
  readonly button = iconButton("sales-filter-button", "filterSales", icon("filter"));
  private readonly size = make("select", "");
  private readonly options: readonly HTMLOptionElement[];
  private readonly groups = new Map<SalesGroup, { readonly input: HTMLInputElement; readonly text: HTMLElement; readonly label: HTMLElement }>();
  private chosen = EVERYTHING;
  private drawn: Strings | undefined;

  /** `changed` is called when another filter was chosen. */
  constructor(changed: () => void) {
    this.node.hidden = true;
    this.node.id = "sales-filter";
    this.button.setAttribute("aria-controls", this.node.id);
    this.button.ariaExpanded = "false";
    this.button.addEventListener("click", () => {
      this.toggle();
    });
    this.size.dataset["label"] = "minSize";
    this.options = MIN_SIZES.map((minSize) => {
      const option = make("option", "");
      option.value = String(minSize);
      return option;
    });
    this.size.append(...this.options);
    this.node.append(this.size, ...SALES_GROUPS.map((group) => this.checkbox(group)));
    this.node.addEventListener("change", () => {
      const hidden = SALES_GROUPS.filter((group) => this.groups.get(group)?.input.checked === false);
      this.chosen = { minSize: shares(Number(this.size.value)), hidden };
      setData(this.button, "active", String(isActive(this.chosen)));
      changed();
    });
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
    });
    this.node.addEventListener("keydown", (press) => {
      if (press.key !== "Escape") return;
      press.stopPropagation();
      this.toggle();
      this.button.focus();
    });
  }

  get filter(): SalesFilter {
    return this.chosen;
  }

  draw(strings: Strings): void {
    if (strings === this.drawn) return;
    this.drawn = strings;
    const { minSize, groups } = strings.salesFilter;
    MIN_SIZES.forEach((shares, at) => {
      const option = this.options[at];
      if (option !== undefined) setText(option, minSize(shares));
    });
    for (const [group, { text, label }] of this.groups) {
      const [name, description] = groups[group];
      setText(text, name);
      label.title = description;
    }
  }

  private toggle(): void {
    this.node.hidden = !this.node.hidden;
    this.button.ariaExpanded = String(!this.node.hidden);
    if (!this.node.hidden) this.size.focus();
  }

  /** Checked means listed. */
  private checkbox(group: SalesGroup): HTMLElement {
    const [input, text] = [make("input", ""), make("span", "")];
    Object.assign(input, { type: "checkbox", checked: true, name: group });
    const label = make("label", "column-choice", input, text);
    this.groups.set(group, { input, text, label });
    return label;
  }
}
