import { formatPrice } from "../format";
import type { Price, StockSymbol } from "@tapecast/client";

/** The tab's title: the selected symbol and its price. It is read while the page is hidden. */
export class PageTitle {
  private title = "";

  /**
   * A stale price is marked; a paused one is left out, since the title is read without the page. Alerts that fired and
   * were not seen are counted.
   */
  draw(symbol: StockSymbol | undefined, last: Price | undefined, feed: "current" | "stale" | "paused", fired: number): void {
    const alerts = fired === 0 ? "" : `🔔${fired} `;
    if (symbol === undefined) this.set("Tapecast");
    else if (feed === "paused") this.set(`${alerts}⏸ ${symbol} · Tapecast`);
    else if (last === undefined) this.set(`${symbol} · Tapecast`);
    else this.set(`${alerts}${feed === "stale" ? "⚠ " : ""}${symbol} ${formatPrice(last)} · Tapecast`);
  }

  /** Only if it differs, because each write sends a message to the browser process. */
  private set(title: string): void {
    if (title === this.title) return;
    this.title = title;
    document.title = title;
  }
}
