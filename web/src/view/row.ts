import { formatChange, formatCount, formatPercent, formatPrice, formatShort } from "../format";
import type { Day, Figures } from "../market";
import type { StockSymbol } from "../model";
import { Figure, signOf } from "./cell";
import { make, setText } from "./dom";

/** What a row does when it is used. */
export interface RowActions {
  readonly select: (symbol: StockSymbol) => void;
  readonly remove: (symbol: StockSymbol) => void;
}

/** One symbol's row: built once, then only its figures change. */
export class Row {
  readonly node: HTMLTableRowElement;
  private readonly button: HTMLButtonElement;
  private readonly name = make("span", "name");
  private readonly last = new Figure();
  private readonly change = new Figure();
  private readonly percent = new Figure();
  private readonly bid = new Figure();
  private readonly bidSize = new Figure();
  private readonly ask = new Figure();
  private readonly askSize = new Figure();
  private readonly volume = new Figure();
  private readonly low = new Figure();
  private readonly high = new Figure();
  private readonly track = make("span", "track", make("span", "mark"));

  constructor(symbol: StockSymbol, actions: RowActions) {
    this.button = make("button", "symbol", symbol);
    this.button.type = "button";
    const remove = make("button", "remove", "×");
    remove.type = "button";
    remove.ariaLabel = `Remove ${symbol}`;
    remove.addEventListener("click", (click) => {
      click.stopPropagation();
      actions.remove(symbol);
    });

    const head = make("th", "c-symbol", make("div", "who", this.button, this.name));
    head.scope = "row";
    this.node = make(
      "tr",
      "",
      head,
      make("td", "c-last", this.last.node),
      make("td", "c-change", this.change.node),
      make("td", "c-percent", this.percent.node),
      make("td", "c-bid", this.bid.node, sized(this.bidSize)),
      make("td", "c-ask", this.ask.node, sized(this.askSize)),
      make("td", "c-volume", this.volume.node),
      make("td", "c-range", make("div", "range", this.low.node, this.track, this.high.node)),
      make("td", "c-remove", remove),
    );
    this.node.dataset["symbol"] = symbol;
    this.node.addEventListener("click", () => {
      actions.select(symbol);
    });
  }

  setName(name: string): void {
    setText(this.name, name);
    this.name.title = name;
  }

  setSelected(selected: "selected" | "not selected"): void {
    if (selected === "selected") {
      this.node.ariaCurrent = "true";
      this.node.scrollIntoView({ block: "nearest" });
    } else {
      this.node.ariaCurrent = null;
    }
  }

  focus(): void {
    this.button.focus();
  }

  get hasFocus(): boolean {
    return this.node.contains(document.activeElement);
  }

  draw(figures: Readonly<Figures>): void {
    this.last.flash(figures.last, formatPrice);
    this.bid.flash(figures.bid, formatPrice);
    this.bidSize.show(figures.bidSize, formatCount);
    this.ask.flash(figures.ask, formatPrice);
    this.askSize.show(figures.askSize, formatCount);
    if (figures.last !== undefined && figures.day !== undefined) this.drawDay(figures.last, figures.day);
  }

  private drawDay(last: number, day: Day): void {
    const change = last - day.open;
    this.change.show(change, formatChange);
    this.change.sign(signOf(change));
    this.percent.show(change / day.open, formatPercent);
    this.percent.sign(signOf(change));
    this.volume.show(day.volume, formatShort);
    this.low.show(day.low, formatPrice);
    this.high.show(day.high, formatPrice);

    const width = day.high - day.low;
    const place = width > 0 ? (last - day.low) / width : 0.5;
    this.track.style.setProperty("--place", Math.min(1, Math.max(0, place)).toFixed(3));

    for (const figure of [this.change, this.percent, this.volume, this.low, this.high]) figure.known(day.known);
  }
}

function sized(size: Figure): HTMLElement {
  return make("span", "size", "× ", size.node);
}
