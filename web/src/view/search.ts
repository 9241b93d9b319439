import type { Instrument, StockSymbol } from "../model";
import type { Strings } from "../strings";
import { byId, make } from "./dom";

/** Where the search looks, and whom it tells. */
export interface SearchActions {
  readonly find: (typed: string) => readonly Instrument[];
  readonly isWatched: (symbol: StockSymbol) => boolean;
  readonly choose: (symbol: StockSymbol) => void;
  readonly strings: () => Strings;
}

/** A box to type in with a list of what was found below: the combobox pattern of the ARIA guide. */
export class Search {
  private readonly input = byId("search", HTMLInputElement);
  private readonly list = byId("search-hits", HTMLUListElement);
  private readonly actions: SearchActions;
  private hits: readonly Instrument[] = [];
  private active = 0;

  constructor(actions: SearchActions) {
    this.actions = actions;
    this.input.addEventListener("input", () => {
      this.look();
    });
    this.input.addEventListener("focus", () => {
      this.look();
    });
    this.input.addEventListener("blur", () => {
      this.close();
    });
    this.input.addEventListener("keydown", (press) => {
      if (this.press(press.key)) press.preventDefault();
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** Answers whether the key was ours. */
  private press(key: string): boolean {
    switch (key) {
      case "ArrowDown":
        this.activate(this.active + 1);
        return true;
      case "ArrowUp":
        this.activate(this.active - 1);
        return true;
      case "Enter":
        this.choose(this.hits[this.active]);
        return true;
      case "Escape":
        this.input.value = "";
        this.input.blur();
        return true;
      default:
        return false;
    }
  }

  private look(): void {
    const typed = this.input.value.trim();
    this.hits = typed === "" ? [] : this.actions.find(typed);
    const options = this.hits.map((hit, at) => this.optionOf(hit, at));
    const none = typed === "" ? [] : [noneOf(this.actions.strings().noMatch(typed))];
    this.list.replaceChildren(...(options.length > 0 ? options : none));
    this.list.hidden = typed === "";
    this.input.ariaExpanded = String(typed !== "");
    this.activate(0);
  }

  private optionOf(hit: Instrument, at: number): HTMLLIElement {
    const option = make("li", "", make("b", "", hit.symbol), make("span", "name", hit.name));
    option.append(make("small", "", this.actions.isWatched(hit.symbol) ? this.actions.strings().lists.added : hit.exchange));
    option.id = `hit-${at}`;
    option.role = "option";
    // The pointer's press would take the focus, and with it the list, before the click.
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
    if (this.hits.length > 0) this.input.setAttribute("aria-activedescendant", `hit-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private choose(hit: Instrument | undefined): void {
    if (hit === undefined) return;
    this.input.value = "";
    this.look();
    this.actions.choose(hit.symbol);
  }

  private close(): void {
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
  }
}

/** An option that cannot be chosen: a list of options has nothing else in it. */
function noneOf(sentence: string): HTMLLIElement {
  const none = make("li", "none", sentence);
  none.role = "option";
  none.ariaDisabled = "true";
  return none;
}
