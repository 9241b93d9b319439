import { formatChange, formatPercent, formatPrice } from "../format";
import { dayChange, type SymbolState } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import { byId, make, setText } from "./dom";
import { Figure, signOf } from "./figure";
import type { Flashes } from "./flashes";

/** Scrolls the headline and the chart into view if a small screen shows little of them: a tap on a row changes them. */
export function showHeadline(): void {
  const { top, bottom } = byId("chart", HTMLElement).getBoundingClientRect();
  const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
  if (seen >= (bottom - top) / 2) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  byId("headline-symbol", HTMLElement).scrollIntoView({ block: "start", behavior });
}

/** The selected symbol and its price above the chart and in the tab's title. */
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

  /** Switches to another symbol. Its figures are new, so that the difference between two symbols does not flash. */
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

  draw({ ticker, trading, reason, isUnknown }: Readonly<SymbolState>, strings: Strings): void {
    this.badge.hidden = trading === "open" && !isUnknown;
    setText(this.badge, isUnknown ? strings.unknownSymbol : trading === "open" ? "" : strings.halted(reason));
    if (ticker === undefined) return;
    this.last.showWithFlash(ticker.last, formatPrice, this.flashes);

    const change = dayChange(ticker);
    this.change.show(change?.dollars, formatChange);
    this.percent.show(change?.ratio, formatPercent);
    for (const figure of [this.change, this.percent]) figure.setSign(signOf(change?.dollars ?? 0));
    if (!this.change.node.isConnected) {
      byId("headline-change", HTMLElement).replaceChildren(this.change.node, this.percent.node, this.badge);
    }
  }

  /**
   * Writes the tab's title. A stale price is marked; a paused one is left out, since the title is read without the page.
   * Alerts that fired and were not seen are counted.
   */
  drawTitle(symbol: StockSymbol, { ticker }: Readonly<SymbolState>, feed: "current" | "stale" | "paused", fired: number): void {
    const alerts = fired === 0 ? "" : `🔔${fired} `;
    if (feed === "paused") this.setTitle(`${alerts}⏸ ${symbol} · Tapecast`);
    else if (ticker?.last !== undefined) this.setTitle(`${alerts}${feed === "stale" ? "⚠ " : ""}${symbol} ${formatPrice(ticker.last)} · Tapecast`);
  }

  /** Sets the title only if it differs, because each write sends a message to the browser process. */
  private setTitle(title: string): void {
    if (title === this.title) return;
    this.title = title;
    document.title = title;
  }
}
