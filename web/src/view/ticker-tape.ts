import { formatPercent, formatPrice } from "../format";
import { dayChange, type SymbolState } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { byId, make } from "./dom";
import { daySign, Figure } from "./figure";

/** Maximum number of items: about as many as pass within two minutes. */
const MAX_ITEMS = 40;

/** Slow enough to read a price while it moves. */
const PIXELS_PER_SECOND = 55;

/** Approximate width of an item. */
const ITEM_PX = 170;

interface Item {
  readonly last: Figure;
  readonly change: Figure;
}

/** The ticker tape at the top. Two copies of its content are moved by CSS, so that it loops without a seam and without script. */
export class TickerTape {
  private readonly box = byId("strip", HTMLElement);
  private readonly content = byId("strip-run", HTMLElement);
  private readonly items = new Map<StockSymbol, Item[]>();

  show(symbols: readonly StockSymbol[]): void {
    this.items.clear();
    const shown = symbols.slice(0, MAX_ITEMS);
    const copies = [0, 1].map((copy) => {
      const half = make("div", "strip-half", ...shown.map((symbol) => this.addItem(symbol)));
      if (copy > 0) half.ariaHidden = "true";
      return half;
    });
    this.content.replaceChildren(...copies);
    this.content.style.setProperty("--strip-seconds", `${Math.max(20, (shown.length * ITEM_PX) / PIXELS_PER_SECOND)}s`);
  }

  setShown(shown: "shown" | "hidden"): void {
    this.box.hidden = shown === "hidden";
  }

  draw(stateOf: (symbol: StockSymbol) => Readonly<SymbolState> | undefined): void {
    if (this.box.hidden) return;
    for (const [symbol, items] of this.items) {
      const ticker = stateOf(symbol)?.ticker;
      if (ticker === undefined) continue;
      const change = dayChange(ticker);
      for (const item of items) {
        item.last.show(ticker.last, formatPrice);
        item.change.show(change?.ratio, formatPercent);
        for (const figure of [item.last, item.change]) figure.setSign(daySign(ticker));
      }
    }
  }

  private addItem(symbol: StockSymbol): HTMLElement {
    const item = { last: new Figure(), change: new Figure() };
    this.items.set(symbol, [...(this.items.get(symbol) ?? []), item]);
    return make("span", "strip-item", make("b", "", symbol), item.last.node, item.change.node);
  }
}
