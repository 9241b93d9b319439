import type { Ticker } from "../model";
import { countField, FieldError, optionalCountField, textField, type JsonObject } from "./fields";
import { readTicker } from "./read";

/** The figures of a ticker that a session may select, and their keys on the wire. */
const KEYS = {
  last: "p",
  bid: "bp",
  bidSize: "bs",
  ask: "ap",
  askSize: "as",
  open: "o",
  high: "h",
  low: "l",
  previousClose: "pc",
  volume: "v",
  averagePrice: "vw",
} as const satisfies Partial<Record<keyof Ticker, string>>;

/** A figure of a ticker that a session may select. */
export type TickerField = keyof typeof KEYS;

/** The keys of these figures on the wire. Throws a `TypeError` for what is none. */
export function keysOf(fields: readonly TickerField[]): readonly string[] {
  return fields.map((field) => {
    if (!Object.hasOwn(KEYS, field)) throw new TypeError(`not a field of tickers: ${field}`);
    return KEYS[field];
  });
}

/** The keys of an object that the next one does not inherit. */
const OWN_KEYS = { cf: undefined, sn: undefined, full: undefined };

/**
 * Completes tickers that are sent as changes (docs/PROTOCOL.md, "Extensions"): keeps the latest object of each stream, to which the next
 * one is applied.
 */
export class TickerDeltas {
  private readonly latest = new Map<string, JsonObject>();

  /** Decodes an object, which is whole or a change. Throws a `FieldError` for a change that does not follow the latest object. */
  read(item: JsonObject): Ticker {
    const symbol = textField(item, "S");
    const isWhole = item["full"] === true || item["sn"] === true;
    const base = isWhole ? {} : this.latest.get(symbol);
    this.latest.delete(symbol);
    if (base === undefined || !(isWhole || isNext(base, item))) throw new FieldError("sq", "next to the number of an object that was received");
    const whole: Record<string, unknown> = Object.assign(base, OWN_KEYS, item);
    // What is null is no longer known.
    for (const key of Object.keys(item)) whole[key] ??= undefined;
    const ticker = readTicker(whole);
    this.latest.set(symbol, whole);
    return ticker;
  }

  /** Forgets the streams that are not listed. */
  retainOnly(symbols: readonly string[]): void {
    const listed = new Set(symbols);
    if (listed.has("*")) return;
    for (const symbol of this.latest.keys()) {
      if (!listed.has(symbol)) this.latest.delete(symbol);
    }
  }

  clear(): void {
    this.latest.clear();
  }
}

/** Whether no object is missing between two of a stream. */
function isNext(base: JsonObject, item: JsonObject): boolean {
  const step = countField(item, "sq") - countField(base, "sq");
  return step > 0 && step <= 1 + (optionalCountField(item, "cf") ?? 0);
}
