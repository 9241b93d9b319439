import { formatPercent, formatPrice } from "../format";
import type { SymbolState } from "../market";
import type { StockSymbol } from "../model";
import { Figure, signOf } from "./cell";
import { byId, make } from "./dom";

/** More than these do not pass within a minute. */
const MAX_ITEMS = 40;

/** At this speed a price can be read while it moves. */
const PIXELS_PER_SECOND = 55;

/** About as wide as one item. */
const ITEM_PX = 170;

interface Item {
  readonly last: Figure;
  readonly change: Figure;
}

/** The ticker tape along the top. Twice the same, one after the other, moved by CSS: it has no seam and costs no script. */
export class Strip {
  private readonly box = byId("strip", HTMLElement);
  private readonly run = byId("strip-run", HTMLElement);
  private readonly items = new Map<StockSymbol, Item[]>();

  show(symbols: readonly StockSymbol[]): void {
    this.items.clear();
    const shown = symbols.slice(0, MAX_ITEMS);
    const copies = [0, 1].map((copy) => {
      const half = make("div", "strip-half", ...shown.map((symbol) => this.itemOf(symbol)));
      if (copy > 0) half.ariaHidden = "true";
      return half;
    });
    this.run.replaceChildren(...copies);
    this.run.style.setProperty("--strip-seconds", `${Math.max(20, (shown.length * ITEM_PX) / PIXELS_PER_SECOND)}s`);
  }

  set(shown: "shown" | "hidden"): void {
    this.box.hidden = shown === "hidden";
  }

  draw(figuresOf: (symbol: StockSymbol) => Readonly<SymbolState> | undefined): void {
    if (this.box.hidden) return;
    for (const [symbol, items] of this.items) {
      const ticker = figuresOf(symbol)?.ticker;
      if (ticker === undefined) continue;
      const change = ticker.last / ticker.previousClose - 1;
      for (const item of items) {
        item.last.show(ticker.last, formatPrice);
        item.change.show(change, formatPercent);
        item.change.sign(signOf(change));
      }
    }
  }

  private itemOf(symbol: StockSymbol): HTMLElement {
    const item = { last: new Figure(), change: new Figure() };
    this.items.set(symbol, [...(this.items.get(symbol) ?? []), item]);
    return make("span", "strip-item", make("b", "", symbol), item.last.node, item.change.node);
  }
}
