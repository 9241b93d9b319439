import { formatChange, formatPercent, formatPrice } from "../format";
import { dayChange, type SymbolState } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { daySign, Figure } from "./figure";
import type { Flashes } from "./flashes";

/** A symbol and its price above a chart. */
export class Headline {
  readonly node: HTMLElement;
  private readonly symbol = make("h2", "headline-symbol", "–");
  private readonly name = make("span", "headline-name");
  private readonly price = make("span", "headline-last");
  private readonly changes = make("span", "headline-change");
  private readonly badge = make("span", "badge");
  private last = new Figure();
  private change = new Figure();
  private percent = new Figure();
  private readonly flashes: Flashes;

  /** `tools` are put at its end. */
  constructor(flashes: Flashes, ...tools: readonly HTMLElement[]) {
    this.flashes = flashes;
    const about = make("div", "headline-about", this.name, this.badge);
    this.node = make("div", "headline", this.symbol, make("div", "headline-price", this.price, this.changes), about, ...tools);
  }

  /** Switches to another symbol. Its figures are new, so that the difference between two symbols does not flash. */
  choose(symbol: StockSymbol | undefined, name: string): void {
    setText(this.symbol, symbol ?? "–");
    this.setName(name);
    this.last = new Figure();
    this.change = new Figure();
    this.percent = new Figure();
    this.badge.hidden = true;
    const shown = symbol === undefined ? [] : [this.last.node];
    this.price.replaceChildren(...shown);
    this.changes.replaceChildren();
  }

  setName(name: string): void {
    setText(this.name, name);
    if (this.name.title !== name) this.name.title = name;
  }

  /** No price is shown yet. */
  get isEmpty(): boolean {
    return !this.change.node.isConnected;
  }

  draw({ ticker, trading, reason, isUnknown }: Readonly<SymbolState>, strings: Strings): void {
    this.badge.hidden = trading === "open" && !isUnknown;
    setText(this.badge, isUnknown ? strings.unknownSymbol : trading === "open" ? "" : strings.halted(reason));
    if (ticker === undefined) return;
    this.last.showWithFlash(ticker.last, formatPrice, this.flashes);

    const change = dayChange(ticker);
    this.change.show(change?.dollars, formatChange);
    this.percent.show(change?.ratio, formatPercent);
    for (const figure of [this.last, this.change, this.percent]) figure.setSign(daySign(ticker));
    if (!this.change.node.isConnected) {
      this.changes.replaceChildren(this.change.node, this.percent.node);
    }
  }
}
