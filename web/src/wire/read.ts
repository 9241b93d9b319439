import { price, seq, shares, type Bar, type MarketEvent, type Quote, type Status, type Ticker, type Trade } from "../model";
import { readControl, type Control } from "./control";
import { BadField, countAt, isJson, numberAt, optionalCountAt, symbolAt, textAt, type Json } from "./fields";
import { timeAt } from "./time";

/** A frame, read: everything it held, in order, each in its own pile. */
export interface Frame {
  readonly controls: readonly Control[];
  readonly events: readonly MarketEvent[];
  /** One sentence for each object, or for the whole frame, that could not be read. */
  readonly faults: readonly string[];
  /** Objects of a kind we do not know: not a fault, the protocol may grow. */
  readonly unknown: number;
}

/** Reads one message of the socket. The wire gives `unknown`; what leaves here is known. */
export function readFrame(data: unknown): Frame {
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
  const faults: string[] = [];
  let unknown = 0;
  for (const item of parsed as readonly unknown[]) {
    try {
      const read = readObject(item);
      if (read === undefined) unknown += 1;
      else if ("control" in read) controls.push(read);
      else events.push(read);
    } catch (fault) {
      if (!(fault instanceof BadField)) throw fault;
      faults.push(`cannot read ${nameOf(item)}: ${fault.message}`);
    }
  }
  return { controls, events, faults, unknown };
}

/** One object as an event or a control; undefined when its kind is unknown. */
function readObject(item: unknown): MarketEvent | Control | undefined {
  if (!isJson(item)) throw new BadField("T", "in an object");
  const kind = textAt(item, "T");
  switch (kind) {
    case "k":
      return readTicker(item);
    case "t":
      return readTrade(item);
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
      return readControl(kind, item);
  }
}

function readStream(item: Json) {
  const number = optionalCountAt(item, "sq");
  return {
    symbol: symbolAt(item, "S"),
    seq: number === undefined ? undefined : seq(number),
    merged: optionalCountAt(item, "cf") ?? 0,
    told: item["sn"] === true ? ("snapshot" as const) : ("live" as const),
    time: timeAt(item, "t"),
  };
}

function readTrade(item: Json): Trade {
  return {
    channel: "trades",
    ...readStream(item),
    id: optionalCountAt(item, "i") ?? 0,
    price: price(numberAt(item, "p")),
    size: shares(countAt(item, "s")),
    venue: typeof item["x"] === "string" ? item["x"] : "",
  };
}

function readQuote(item: Json): Quote {
  return { channel: "quotes", ...readStream(item), ...readBest(item) };
}

function readBest(item: Json) {
  return {
    bid: price(numberAt(item, "bp")),
    bidSize: shares(countAt(item, "bs")),
    ask: price(numberAt(item, "ap")),
    askSize: shares(countAt(item, "as")),
  };
}

function readBar(item: Json, channel: Bar["channel"]): Bar {
  return {
    channel,
    ...readStream(item),
    open: price(numberAt(item, "o")),
    high: price(numberAt(item, "h")),
    low: price(numberAt(item, "l")),
    close: price(numberAt(item, "c")),
    volume: shares(countAt(item, "v")),
  };
}

function readTicker(item: Json): Ticker {
  return {
    channel: "tickers",
    ...readStream(item),
    ...readBest(item),
    last: price(numberAt(item, "p")),
    open: price(numberAt(item, "o")),
    high: price(numberAt(item, "h")),
    low: price(numberAt(item, "l")),
    previousClose: price(numberAt(item, "pc")),
    volume: shares(countAt(item, "v")),
  };
}

/** `H` and `P` stop the trading (a halt, a pause); every other code lets it go on. */
function readStatus(item: Json): Status {
  const code = textAt(item, "sc");
  return {
    channel: "statuses",
    ...readStream(item),
    trading: code === "H" || code === "P" || code === "2" ? "halted" : "open",
    reason: textAt(item, "rm"),
  };
}

function nameOf(item: unknown): string {
  const kind = isJson(item) ? item["T"] : undefined;
  return typeof kind === "string" ? `an object \`${kind.slice(0, 16)}\`` : "an object without a kind";
}

function unreadable(what: string): Frame {
  return { controls: [], events: [], faults: [`cannot read ${what}`], unknown: 0 };
}
