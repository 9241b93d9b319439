import { FLAGS, type Flag, type ListFormat } from "../market";
import type { PageText, Strings } from "../strings";
import { make, setText } from "./dom";
import { flagMark } from "./flag-mark";
import { icon } from "./icons";
import { iconButton, makeButton } from "./panel-parts";
import { menuChoice, popoverMenu } from "./popover-menu";

/** What the menu needs from the panel. */
export interface ListMenuActions {
  readonly importText: (text: string) => void;
  readonly exportAs: (format: ListFormat) => void;
  readonly addSection: () => void;
  readonly isSorted: () => boolean;
  readonly endSort: () => void;
  readonly filter: () => Flag | undefined;
  readonly setFilter: (flag: Flag | undefined) => void;
  readonly strings: () => Strings;
}

/** A file with a list is smaller than this. */
const MAX_BYTES = 1_000_000;

/** Import, export, sections, the filter by flag; and the mark that a filter is set. */
export class ListMenu {
  readonly button = iconButton("button icon", "listMenu", icon("list"));
  /** Shows all symbols again. Only there while a flag filters. */
  readonly filterButton = makeButton("button small flag-filter");
  readonly menu: HTMLElement;
  /** The browser's choice of a file. */
  readonly fileInput = make("input", "");
  private readonly filterText = make("span", "visually-hidden");
  private readonly actions: ListMenuActions;

  constructor(actions: ListMenuActions) {
    this.actions = actions;
    this.button.id = "list-menu";
    this.filterButton.id = "list-filter";
    this.filterButton.hidden = true;
    this.filterButton.addEventListener("click", () => {
      actions.setFilter(undefined);
      this.button.focus();
    });
    Object.assign(this.fileInput, { id: "list-file", type: "file", accept: ".csv,.txt,text/csv,text/plain", hidden: true });
    this.fileInput.addEventListener("change", () => {
      for (const file of this.fileInput.files ?? []) void this.importFile(file);
      this.fileInput.value = "";
    });
    this.menu = popoverMenu(this.button, "panel-menu list-menu", "listMenu", () => {
      this.fill();
    });
  }

  /** Adds what a file has to the list. */
  async importFile(file: File): Promise<void> {
    this.actions.importText(file.size > MAX_BYTES ? "" : await file.text());
  }

  /** Shows which flag filters. */
  draw(strings: Strings): void {
    const flag = this.actions.filter();
    this.filterButton.hidden = flag === undefined;
    if (flag === undefined) return;
    setText(this.filterText, `${strings.rows.flags[flag]}. ${strings.page.endFlagFilter}`);
    this.filterButton.title = strings.page.endFlagFilter;
    this.filterButton.replaceChildren(flagMark(flag), icon("close"), this.filterText);
  }

  private fill(): void {
    const { actions } = this;
    const { page } = actions.strings();
    const choice = (text: PageText, run: () => void) => menuChoice(page[text], () => { this.menu.hidePopover(); }, run);
    this.menu.replaceChildren(
      choice("importList", () => { this.fileInput.click(); }),
      choice("exportTradingView", () => { actions.exportAs("tradingview"); }),
      choice("exportCsv", () => { actions.exportAs("csv"); }),
      choice("addSection", actions.addSection),
      ...(actions.isSorted() ? [choice("resetSort", actions.endSort)] : []),
      this.flagChoices(),
    );
  }

  private flagChoices(): HTMLElement {
    const { page, rows } = this.actions.strings();
    const current = this.actions.filter();
    const labels = [undefined, ...FLAGS].map((flag) => {
      const input = make("input", "");
      Object.assign(input, { type: "radio", name: "flag-filter", checked: flag === current });
      input.addEventListener("change", () => {
        this.actions.setFilter(flag);
      });
      return make("label", "column-choice", input, ...(flag === undefined ? [] : [flagMark(flag)]), flag === undefined ? page.allFlags : rows.flags[flag]);
    });
    return make("fieldset", "flag-filters", make("legend", "", page.showFlags), ...labels);
  }
}
