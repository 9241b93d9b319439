import type { TimeAndSales } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { TradeCard } from "../view";
import type { PanelSite } from "./host";

/** What the card shows of a ticker, and not every column of the list does. */
const QUOTE = ["bid", "bidSize", "ask", "askSize"] as const;

/** A look at the last trade of a row. Its trades are subscribed to while the card is open, and only then. */
export class TradeLook {
  private readonly card: TradeCard;
  private readonly site: PanelSite;
  /** The fields of the quote stay in use after the first look: the pointer goes over many rows. */
  private usesQuote = false;
  private shown: { readonly symbol: StockSymbol; readonly trades: TimeAndSales; readonly release: () => void } | undefined;

  constructor(site: PanelSite) {
    this.site = site;
    this.card = new TradeCard(() => {
      this.shown?.release();
      this.shown = undefined;
    });
  }

  get node(): HTMLElement {
    return this.card.node;
  }

  get isOpen(): boolean {
    return this.card.isOpen;
  }

  open(symbol: StockSymbol, at: DOMRect): void {
    this.card.close();
    if (!this.usesQuote) this.site.store.tickerFields.use(QUOTE);
    this.usesQuote = true;
    this.shown = { symbol, ...this.site.store.followTrades(symbol) };
    this.card.open(at, this.details(symbol, this.shown.trades), this.site.strings());
  }

  close(): void {
    this.card.close();
  }

  /** Opens or closes the card; returns what it says. */
  toggle(symbol: StockSymbol, at: DOMRect): string {
    const wasOpen = this.isOpen && this.shown?.symbol === symbol;
    if (wasOpen) this.close();
    else this.open(symbol, at);
    return wasOpen ? "" : this.card.text();
  }

  draw(): void {
    if (this.shown !== undefined) this.card.draw(this.details(this.shown.symbol, this.shown.trades), this.site.strings());
  }

  private details(symbol: StockSymbol, trades: TimeAndSales) {
    const { instruments, store, now } = this.site;
    return { symbol, name: instruments.nameOf(symbol), trade: trades.latest, state: store.board.get(symbol), now: now() };
  }
}
