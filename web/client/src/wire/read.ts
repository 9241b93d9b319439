import { price, seq, shares, type Bar, type Cancel, type Correction, type MarketEvent, type Price, type Quote, type Shares, type Status, type Ticker, type Trade } from "../model";
import { readControl, type Control } from "./control";
import { FieldError, countField, isJsonObject, letterField, numberField, optional, optionalCountField, readConditions, symbolField, textField, type JsonObject } from "./fields";
import { timeField } from "./time";

/** A decoded frame. Controls and events are each in their order on the wire. */
export interface Frame {
  readonly controls: readonly Control[];
  readonly events: readonly MarketEvent[];
  /** One sentence for each object that could not be decoded, or for the whole frame. */
  readonly errors: readonly string[];
  /** Number of objects of unknown kinds. Not an error: clients ignore what they do not know (docs/PROTOCOL.md, "Tolerance"). */
  readonly unknown: number;
}

/** Decodes an object of some kinds; undefined if it is of another. Throws a `FieldError`. */
export type ObjectReader = (kind: string, item: JsonObject) => MarketEvent | Control | undefined;

/**
 * Decodes one WebSocket message. A malformed object never affects the other objects of its frame.
 *
 * `readers` decode tickers, if they do, and the kinds of objects that are neither the market's nor its session's.
 */
export function readFrame(data: unknown, readers: readonly ObjectReader[] = []): Frame {
  if (typeof data !== "string") return unreadable("a frame that is not text");
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return unreadable("a frame that is not JSON");
  }
  if (!Array.isArray(parsed)) return unreadable("a frame that is not an array");

  const controls: Control[] = [];
  const events: MarketEvent[] = [];
  const errors: string[] = [];
  let unknown = 0;
  for (const item of parsed as readonly unknown[]) {
    try {
      const read = readObject(item, readers);
      if (read === undefined) unknown += 1;
      else if ("control" in read) controls.push(read);
      else events.push(read);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      errors.push(`cannot read ${nameOf(item)}: ${error.message}`);
    }
  }
  return { controls, events, errors, unknown };
}

/** Decodes one object; undefined if its kind is unknown. */
function readObject(item: unknown, readers: readonly ObjectReader[]): MarketEvent | Control | undefined {
  if (!isJsonObject(item)) throw new FieldError("T", "in an object");
  const kind = textField(item, "T");
  switch (kind) {
    case "k":
      return readExtra(kind, item, readers) ?? readTicker(item);
    case "t":
      return readTrade(item);
    case "x":
      return readCancel(item);
    case "c":
      return readCorrection(item);
    case "q":
      return readQuote(item);
    case "b":
      return readBar(item, "bars");
    case "u":
      return readBar(item, "updatedBars");
    case "d":
      return readBar(item, "dailyBars");
    case "s":
      return readStatus(item);
    default:
      return readControl(kind, item) ?? readExtra(kind, item, readers);
  }
}

function readExtra(kind: string, item: JsonObject, readers: readonly ObjectReader[]): MarketEvent | Control | undefined {
  for (const read of readers) {
    const made = read(kind, item);
    if (made !== undefined) return made;
  }
  return undefined;
}

function readStream(item: JsonObject) {
  const number = optionalCountField(item, "sq");
  return {
    symbol: symbolField(item, "S"),
    seq: number === undefined ? undefined : seq(number),
    conflated: optionalCountField(item, "cf") ?? 0,
    origin: item["sn"] === true ? ("snapshot" as const) : ("live" as const),
    time: timeField(item, "t"),
  };
}

function readTrade(item: JsonObject): Trade {
  return {
    channel: "trades",
    ...readStream(item),
    id: optionalCountField(item, "i") ?? 0,
    price: price(numberField(item, "p")),
    size: sharesField(item, "s"),
    venue: letterField(item, "x"),
    tape: letterField(item, "z"),
    ...readConditions(item),
  };
}

function readCancel(item: JsonObject): Cancel {
  return { channel: "cancelErrors", ...readStream(item), id: countField(item, "i") };
}

function readCorrection(item: JsonObject): Correction {
  return {
    channel: "corrections",
    ...readStream(item),
    id: countField(item, "oi"),
    price: price(numberField(item, "cp")),
    size: sharesField(item, "cs"),
  };
}

function readQuote(item: JsonObject): Quote {
  return {
    channel: "quotes",
    ...readStream(item),
    bid: knownPrice(item, "bp"),
    bidSize: sharesField(item, "bs"),
    ask: knownPrice(item, "ap"),
    askSize: sharesField(item, "as"),
  };
}

function readBar(item: JsonObject, channel: Bar["channel"]): Bar {
  return {
    channel,
    ...readStream(item),
    open: price(numberField(item, "o")),
    high: price(numberField(item, "h")),
    low: price(numberField(item, "l")),
    close: price(numberField(item, "c")),
    volume: sharesField(item, "v"),
  };
}

const sharesField = (item: JsonObject, key: string): Shares => shares(countField(item, key));

/** A price of which 0 means that there is none. */
function knownPrice(item: JsonObject, key: string): Price | undefined {
  const value = numberField(item, key);
  return value === 0 ? undefined : price(value);
}

/** Every figure may be absent: a session selects those that it wants. */
export function readTicker(item: JsonObject): Ticker {
  const priceOf = (key: string) => optional(item, key, knownPrice);
  const sharesOf = (key: string) => optional(item, key, sharesField);
  return {
    channel: "tickers",
    ...readStream(item),
    bid: priceOf("bp"),
    bidSize: sharesOf("bs"),
    ask: priceOf("ap"),
    askSize: sharesOf("as"),
    last: priceOf("p"),
    open: priceOf("o"),
    high: priceOf("h"),
    low: priceOf("l"),
    previousClose: priceOf("pc"),
    volume: sharesOf("v"),
    averagePrice: priceOf("vw"),
  };
}

/** Halted: `H` and `P` (UTP: halt, volatility pause) and `2` (CTA: halt). All other status codes mean open. */
function readStatus(item: JsonObject): Status {
  const code = textField(item, "sc");
  return {
    channel: "statuses",
    ...readStream(item),
    trading: code === "H" || code === "P" || code === "2" ? "halted" : "open",
    reason: textField(item, "rm"),
  };
}

function nameOf(item: unknown): string {
  const kind = isJsonObject(item) ? item["T"] : undefined;
  return typeof kind === "string" ? `an object \`${kind.slice(0, 16)}\`` : "an object without a kind";
}

function unreadable(description: string): Frame {
  return { controls: [], events: [], errors: [`cannot read ${description}`], unknown: 0 };
}
