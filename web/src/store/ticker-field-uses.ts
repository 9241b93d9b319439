import type { CompactTickers, TickerField } from "@tapecast/client";

/** Counts who uses which field of tickers. The server sends those that somebody uses. */
export class TickerFieldUses {
  private readonly tickers: Pick<CompactTickers, "setFields">;
  private readonly uses = new Map<TickerField, number>();

  constructor(tickers: Pick<CompactTickers, "setFields">) {
    this.tickers = tickers;
  }

  /** Uses fields until the returned function is called, once. */
  use(fields: readonly TickerField[]): () => void {
    this.count(fields, 1);
    return () => {
      this.count(fields, -1);
    };
  }

  private count(fields: readonly TickerField[], change: 1 | -1): void {
    for (const field of fields) {
      const count = (this.uses.get(field) ?? 0) + change;
      if (count === 0) this.uses.delete(field);
      else this.uses.set(field, count);
    }
    this.tickers.setFields([...this.uses.keys()]);
  }
}
