import { formatChange, formatPercent, formatPrice } from "../format";
import type { SymbolState } from "../market";
import type { StockSymbol } from "../model";
import type { Strings } from "../strings";
import { Figure, signOf } from "./cell";
import { byId, make, setText } from "./dom";
import type { Flashes } from "./flashes";

/** The selected symbol in large letters, above its chart, and its price in the tab's title. */
export class Headline {
  private readonly symbol = byId("headline-symbol", HTMLElement);
  private readonly name = byId("headline-name", HTMLElement);
  private readonly badge = make("span", "badge");
  private last = new Figure();
  private change = new Figure();
  private percent = new Figure();
  private title = "";
  private readonly flashes: Flashes;

  constructor(flashes: Flashes) {
    this.flashes = flashes;
  }

  /** Another symbol: new figures, so that nothing flashes for the difference between two stocks. */
  choose(symbol: StockSymbol | undefined, name: string): void {
    setText(this.symbol, symbol ?? "–");
    this.setName(name);
    this.last = new Figure();
    this.change = new Figure();
    this.percent = new Figure();
    this.badge.hidden = true;
    const shown = symbol === undefined ? [] : [this.last.node];
    byId("headline-last", HTMLElement).replaceChildren(...shown);
    byId("headline-change", HTMLElement).replaceChildren(this.badge);
    this.setTitle(symbol === undefined ? "Tapecast" : `${symbol} · Tapecast`);
  }

  setName(name: string): void {
    setText(this.name, name);
    this.name.title = name;
  }

  draw({ ticker, trading, reason }: Readonly<SymbolState>, strings: Strings): void {
    this.badge.hidden = trading === "open";
    setText(this.badge, trading === "open" ? "" : strings.halted(reason));
    if (ticker === undefined) return;
    this.last.flash(ticker.last, formatPrice, this.flashes);

    const change = ticker.last - ticker.previousClose;
    this.change.show(change, formatChange);
    this.percent.show(change / ticker.previousClose, formatPercent);
    for (const figure of [this.change, this.percent]) figure.sign(signOf(change));
    if (!this.change.node.isConnected) {
      byId("headline-change", HTMLElement).replaceChildren(this.change.node, this.percent.node, this.badge);
    }
  }

  drawTitle(symbol: StockSymbol, { ticker }: Readonly<SymbolState>): void {
    if (ticker !== undefined) this.setTitle(`${symbol} ${formatPrice(ticker.last)} · Tapecast`);
  }

  /** A title costs a message to the browser's own window: only when it is another. */
  private setTitle(title: string): void {
    if (title === this.title) return;
    this.title = title;
    document.title = title;
  }
}
