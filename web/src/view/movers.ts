import { formatPercent, formatPrice, NONE } from "../format";
import { heldOrder, MOVER_LISTS, type Mover, type MoverList } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { PageText, Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { signOf } from "./figure";
import { translated } from "./panel-parts";

export interface MoversActions {
  readonly select: (symbol: StockSymbol) => void;
  readonly nameOf: (symbol: StockSymbol) => string;
  /** Another list was chosen. */
  readonly chosen: (list: MoverList) => void;
}

const TITLES: Readonly<Record<MoverList, PageText>> = { gainers: "gainers", losers: "losers", active: "mostActive", halted: "haltedList" };

/** The element of a row, for one symbol as long as it is listed. */
class Row {
  readonly node: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly name = make("span", "mover-name");
  private readonly last = make("span", "figure");
  private readonly change = make("span", "figure mover-change");
  private readonly value = make("span", "figure mover-value");

  constructor(symbol: StockSymbol) {
    this.button = make("button", "mover", make("b", "mover-symbol", symbol), this.name, this.last, this.change, this.value);
    this.button.type = "button";
    this.button.tabIndex = -1;
    this.button.dataset["symbol"] = symbol;
    this.node = make("li", "", this.button);
  }

  draw({ last, ratio, value, trading, reason }: Mover, name: string, isSelected: boolean, strings: Strings): void {
    setText(this.name, trading === "halted" ? strings.halted(reason) : name);
    setText(this.last, last === undefined ? NONE : formatPrice(last));
    setText(this.change, ratio === undefined ? NONE : formatPercent(ratio));
    setText(this.value, strings.market.value(value));
    for (const figure of [this.last, this.change]) setData(figure, "sign", signOf(ratio ?? 0));
    setData(this.button, "trading", trading);
    const current = isSelected ? "true" : null;
    if (this.button.ariaCurrent !== current) this.button.ariaCurrent = current;
  }
}

/**
 * The lists of gainers, losers, most active and halted symbols, one at a time.
 *
 * A list that has the focus or is under the pointer keeps its order, so that a press meets the row that was aimed at.
 */
export class MoversView {
  readonly node: HTMLElement;
  private readonly actions: MoversActions;
  private readonly inputs = new Map<MoverList, HTMLInputElement>();
  private readonly list = make("ul", "movers-list");
  private readonly empty = make("p", "chat-note movers-empty");
  private readonly rows = new Map<StockSymbol, Row>();
  private order: readonly StockSymbol[] = [];
  private shown: MoverList = "gainers";
  private current: StockSymbol | undefined;
  private isUnderPointer = false;
  private drawn: readonly unknown[] = [];

  /** `name` is that of the radio group, unique on the page. */
  constructor(name: string, actions: MoversActions) {
    this.actions = actions;
    const choice = make("fieldset", "segments movers-choice", translated("legend", "visually-hidden", "movers"));
    for (const list of MOVER_LISTS) choice.append(this.option(name, list));
    const heads = (["moverSymbol", "salesPrice", "moverChange", "moverValue"] as const).map((text) => translated("span", "", text));
    const head = make("div", "mover movers-head", ...heads);
    head.ariaHidden = "true";
    this.list.addEventListener("click", ({ target }) => {
      const symbol = this.symbolOf(target);
      if (symbol !== undefined) actions.select(symbol);
    });
    this.list.addEventListener("focusin", ({ target }) => {
      this.makeCurrent(this.symbolOf(target));
    });
    this.list.addEventListener("keydown", (press) => {
      if (!press.ctrlKey && !press.metaKey && !press.altKey && this.move(press.key)) press.preventDefault();
    });
    this.list.addEventListener("pointerenter", () => {
      this.isUnderPointer = true;
    });
    this.list.addEventListener("pointerleave", () => {
      this.isUnderPointer = false;
    });
    const scroll = make("div", "movers-scroll", this.list, this.empty);
    this.node = make("div", "movers", choice, head, scroll);
    this.node.dataset["list"] = this.shown;
  }

  get chosen(): MoverList {
    return this.shown;
  }

  focus(): void {
    const row = this.current === undefined ? undefined : this.rows.get(this.current);
    if (row === undefined) this.inputs.get(this.shown)?.focus();
    else row.button.focus();
  }

  /** Names of symbols are known now that were not before. */
  namesChanged(): void {
    this.drawn = [];
  }

  /** Shows these symbols, highest rank first. The same ones are drawn once. */
  draw(movers: readonly Mover[], selected: StockSymbol | undefined, strings: Strings): void {
    const state = [movers, selected, strings];
    if (state.every((one, at) => one === this.drawn[at])) return;
    this.drawn = state;
    const ranked = movers.map(({ symbol }) => symbol);
    const isHeld = this.isUnderPointer || this.list.contains(this.list.ownerDocument.activeElement);
    this.order = isHeld ? heldOrder(this.order, ranked) : ranked;
    const bySymbol = new Map(movers.map((mover) => [mover.symbol, mover]));
    const hadFocus = this.list.contains(this.list.ownerDocument.activeElement);
    for (const [symbol, { node }] of this.rows) {
      if (bySymbol.has(symbol)) continue;
      node.remove();
      this.rows.delete(symbol);
    }
    this.order.forEach((symbol, at) => {
      const row = this.rowOf(symbol);
      const mover = bySymbol.get(symbol);
      if (mover !== undefined) row.draw(mover, this.actions.nameOf(symbol), symbol === selected, strings);
      if (this.list.children[at] !== row.node) this.list.insertBefore(row.node, this.list.children[at] ?? null);
    });
    if (this.current === undefined || !this.rows.has(this.current)) this.makeCurrent(this.order[0]);
    // The row with the focus is not listed any more.
    if (hadFocus && !this.list.contains(this.list.ownerDocument.activeElement)) this.focus();
    this.empty.hidden = movers.length > 0;
    setText(this.empty, movers.length > 0 ? "" : strings.market.none[this.shown]);
  }

  private option(name: string, list: MoverList): HTMLElement {
    const input = make("input", "");
    Object.assign(input, { type: "radio", name, checked: list === this.shown });
    input.addEventListener("change", () => {
      this.shown = list;
      this.node.dataset["list"] = list;
      this.order = [];
      this.current = undefined;
      this.actions.chosen(list);
    });
    this.inputs.set(list, input);
    return make("label", "", input, translated("span", "", TITLES[list]));
  }

  private rowOf(symbol: StockSymbol): Row {
    const row = this.rows.get(symbol) ?? new Row(symbol);
    this.rows.set(symbol, row);
    return row;
  }

  /** Moves the focus by a key; false if the key has no meaning here. */
  private move(key: string): boolean {
    const at = this.current === undefined ? -1 : this.order.indexOf(this.current);
    const last = this.order.length - 1;
    const places: Readonly<Partial<Record<string, number>>> = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last };
    const to = places[key];
    if (to === undefined) return false;
    this.makeCurrent(this.order[to]);
    this.focus();
    return true;
  }

  private makeCurrent(symbol: StockSymbol | undefined): void {
    if (symbol === undefined) return;
    const before = this.current === undefined ? undefined : this.rows.get(this.current);
    if (before !== undefined) before.button.tabIndex = -1;
    this.current = symbol;
    const row = this.rows.get(symbol);
    if (row !== undefined) row.button.tabIndex = 0;
  }

  private symbolOf(target: EventTarget | null): StockSymbol | undefined {
    const node = target instanceof Element ? target.closest<HTMLElement>(".mover") : null;
    return this.order.find((symbol) => symbol === node?.dataset["symbol"]);
  }
}
