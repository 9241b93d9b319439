import type { Instrument, StockSymbol } from "@tapecast/client";
import type { PageText, Strings } from "../strings";
import { make } from "./dom";

/** What the search needs from the application. */
export interface SearchActions {
  readonly find: (typed: string) => readonly Instrument[];
  /** Calls back when a text may find other instruments than before. */
  readonly onChange: (listener: () => void) => void;
  readonly isWatched: (symbol: StockSymbol) => boolean;
  readonly choose: (symbol: StockSymbol) => void;
  /** Adds the symbols in a text; false if it has none. */
  readonly addText: (text: string) => boolean;
  readonly strings: () => Strings;
}

/** Where a search box is: its id, from which those of its list and results are made, and its name. */
export interface SearchPlace {
  readonly id: string;
  readonly label: PageText;
}

/** A search box with a list of results: the combobox pattern of the ARIA Authoring Practices Guide. */
export class SymbolSearch {
  readonly node: HTMLElement;
  private readonly input = make("input", "");
  private readonly list = make("ul", "hits");
  private readonly actions: SearchActions;
  private readonly id: string;
  private hits: readonly Instrument[] = [];
  private active = 0;

  constructor(actions: SearchActions, place: SearchPlace = { id: "search", label: "addSymbol" }) {
    this.actions = actions;
    this.id = place.id;
    this.node = this.makeNodes(place.label);
    this.input.addEventListener("input", () => {
      this.update();
    });
    this.input.addEventListener("focus", () => {
      this.update();
    });
    actions.onChange(() => {
      if (!this.list.hidden) this.refresh();
    });
    this.input.addEventListener("blur", () => {
      this.close();
    });
    this.input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain").trim() ?? "";
      if (hasSeveral(text) && this.actions.addText(text)) event.preventDefault();
    });
    this.input.addEventListener("keydown", (press) => {
      if (this.press(press.key)) press.preventDefault();
    });
  }

  private makeNodes(label: PageText): HTMLElement {
    Object.assign(this.input, { id: this.id, type: "text", role: "combobox", ariaAutoComplete: "list", ariaExpanded: "false" });
    Object.assign(this.input, { autocomplete: "off", autocapitalize: "characters", spellcheck: false });
    this.input.setAttribute("aria-controls", `${this.id}-hits`);
    this.input.dataset["label"] = label;
    Object.assign(this.list, { id: `${this.id}-hits`, role: "listbox", hidden: true });
    this.list.dataset["label"] = "symbolsFound";
    const key = make("kbd", "", "/");
    key.ariaHidden = "true";
    return make("div", "search", this.input, key, this.list);
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** Handles a key; false if it has no meaning here. */
  private press(key: string): boolean {
    switch (key) {
      case "ArrowDown":
        this.activate(this.active + 1);
        return true;
      case "ArrowUp":
        this.activate(this.active - 1);
        return true;
      case "Enter":
        this.enter();
        return true;
      case "Escape":
        // Closes a menu that the empty box is in.
        if (this.input.value === "" && this.node.closest("[popover]") !== null) return false;
        this.input.value = "";
        this.input.blur();
        return true;
      default:
        return false;
    }
  }

  /** Chooses the active result, or adds all symbols of a text that has several. */
  private enter(): void {
    const typed = this.input.value.trim();
    if (this.hits.length > 0) this.choose(this.hits[this.active]);
    else if (hasSeveral(typed) && this.actions.addText(typed)) this.clear();
  }

  private clear(): void {
    this.input.value = "";
    this.update();
  }

  /** Searches again, and keeps the active result if it is still found. */
  private refresh(): void {
    const active = this.hits[this.active]?.symbol;
    this.update();
    this.activate(this.hits.findIndex(({ symbol }) => symbol === active));
  }

  private update(): void {
    const typed = this.input.value.trim();
    this.hits = typed === "" ? [] : this.actions.find(typed);
    const options = this.hits.map((hit, at) => this.optionOf(hit, at));
    const none = typed === "" ? [] : [noResult(this.actions.strings().noMatch(typed))];
    this.list.replaceChildren(...(options.length > 0 ? options : none));
    this.list.hidden = typed === "";
    this.input.ariaExpanded = String(typed !== "");
    this.activate(0);
  }

  private optionOf(hit: Instrument, at: number): HTMLLIElement {
    const option = make("li", "", make("b", "", hit.symbol), make("span", "name", hit.name));
    option.append(make("small", "", this.actions.isWatched(hit.symbol) ? this.actions.strings().lists.added : hit.exchange));
    option.id = `${this.id}-hit-${at}`;
    option.role = "option";
    // Otherwise the press moves the focus, which closes the list before the click.
    option.addEventListener("pointerdown", (press) => {
      press.preventDefault();
    });
    option.addEventListener("click", () => {
      this.choose(hit);
    });
    return option;
  }

  private activate(at: number): void {
    this.active = Math.min(Math.max(at, 0), Math.max(0, this.hits.length - 1));
    [...this.list.children].forEach((option, place) => {
      option.ariaSelected = String(place === this.active);
      if (place === this.active) option.scrollIntoView({ block: "nearest" });
    });
    if (this.hits.length > 0) this.input.setAttribute("aria-activedescendant", `${this.id}-hit-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private choose(hit: Instrument | undefined): void {
    if (hit === undefined) return;
    this.clear();
    this.actions.choose(hit.symbol);
  }

  private close(): void {
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
  }
}

/** True for a text of several words: symbols to add, or a name. */
const hasSeveral = (text: string): boolean => /[\s,;|]/.test(text);

/** A disabled option: a listbox may only contain options. */
function noResult(sentence: string): HTMLLIElement {
  const none = make("li", "none", sentence);
  none.role = "option";
  none.ariaDisabled = "true";
  return none;
}
