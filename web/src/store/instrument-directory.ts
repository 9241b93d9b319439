import { asSymbol, type HistoryClient, type Instrument, type StockSymbol } from "@tapecast/client";
import { findInstruments } from "../market";

/** The names and symbols of all instruments, loaded once. */
export class InstrumentDirectory {
  private readonly history: HistoryClient;
  private instruments: ReadonlyMap<StockSymbol, Instrument> = new Map();
  private isLoading = false;
  private readonly listeners: (() => void)[] = [];

  constructor(history: HistoryClient) {
    this.history = history;
  }

  /** Loads the instruments; "unchanged" if they are loaded or being loaded. A failed load may be repeated. */
  async load(): Promise<"loaded" | "failed" | "unchanged"> {
    if (this.instruments.size > 0 || this.isLoading) return "unchanged";
    this.isLoading = true;
    const instruments = await this.history.instruments();
    this.isLoading = false;
    if (instruments === undefined) return "failed";
    this.instruments = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
    for (const listener of this.listeners) listener();
    return "loaded";
  }

  /** Calls back when the instruments are loaded. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Finds instruments by text. Before they are loaded, any valid symbol is accepted as it was typed. */
  find(typed: string, limit: number): readonly Instrument[] {
    if (this.instruments.size > 0) return findInstruments([...this.instruments.values()], typed, limit);
    const symbol = asSymbol(typed.toUpperCase());
    return symbol === undefined ? [] : [{ symbol, name: "", exchange: "" }];
  }

  /** Whether the server knows a symbol; "unsure" before the instruments are loaded. */
  isKnown(symbol: StockSymbol): "yes" | "no" | "unsure" {
    if (this.instruments.size === 0) return "unsure";
    return this.instruments.has(symbol) ? "yes" : "no";
  }

  /** The exchange of an instrument; empty if it is unknown or not loaded yet. */
  exchangeOf(symbol: StockSymbol | undefined): string {
    return symbol === undefined ? "" : (this.instruments.get(symbol)?.exchange ?? "");
  }

  /** The name of an instrument; empty if it is unknown or not loaded yet. */
  readonly nameOf = (symbol: StockSymbol): string => this.instruments.get(symbol)?.name ?? "";
}
