import { formatChange, formatPercent, formatPrice } from "../format";
import type { Figures } from "../market";
import type { StockSymbol } from "../model";
import { Figure, signOf } from "./cell";
import { byId, setText } from "./dom";

/** The selected symbol in large letters, above its chart, and its price in the tab's title. */
export class Headline {
  private readonly symbol = byId("headline-symbol", HTMLElement);
  private readonly name = byId("headline-name", HTMLElement);
  private last = new Figure();
  private change = new Figure();
  private percent = new Figure();

  /** Another symbol: new figures, so that nothing flashes for the difference between two stocks. */
  choose(symbol: StockSymbol | undefined, name: string): void {
    setText(this.symbol, symbol ?? "–");
    setText(this.name, name);
    this.last = new Figure();
    this.change = new Figure();
    this.percent = new Figure();
    const shown = symbol === undefined ? [] : [this.last.node];
    byId("headline-last", HTMLElement).replaceChildren(...shown);
    byId("headline-change", HTMLElement).replaceChildren();
    document.title = symbol === undefined ? "Tapecast" : `${symbol} · Tapecast`;
  }

  draw(symbol: StockSymbol, { last, day }: Readonly<Figures>): void {
    if (last === undefined) return;
    this.last.flash(last, formatPrice);
    document.title = `${symbol} ${formatPrice(last)} · Tapecast`;
    if (day === undefined) return;

    const change = last - day.open;
    this.change.show(change, formatChange);
    this.percent.show(change / day.open, formatPercent);
    for (const figure of [this.change, this.percent]) {
      figure.sign(signOf(change));
      figure.known(day.known);
    }
    if (!this.change.node.isConnected) {
      byId("headline-change", HTMLElement).replaceChildren(this.change.node, this.percent.node);
    }
  }
}
