import { CHANNELS, epoch, seq, type Channel, type Epoch, type Millis, type Seq, type StockSymbol } from "../model";
import { BadField, countAt, isJson, optionalCountAt, symbolAt, textAt, textsAt, type Json } from "./fields";
import { timeAt } from "./time";

/** What an acknowledgement grants of what was asked for. */
export interface Granted {
  readonly id: number | undefined;
  readonly epoch: Epoch;
  readonly conflateMs: number;
  readonly heartbeatMs: number;
  /** Symbols that this market does not know, of all channels together. */
  readonly rejected: readonly string[];
}

/** What the server says about the conversation itself. */
export type Control =
  | { readonly control: "connected" }
  | { readonly control: "authenticated" }
  | {
      readonly control: "subscription";
      readonly channels: Readonly<Record<Channel, readonly string[]>>;
      /** Absent from a server that knows no extensions. */
      readonly granted: Granted | undefined;
    }
  /** Objects that will not come. */
  | { readonly control: "gap"; readonly channel: Channel; readonly symbol: StockSymbol; readonly from: Seq; readonly to: Seq }
  /** Nothing else was sent for a while; the newest event of the market is so old. */
  | { readonly control: "beat"; readonly epoch: Epoch; readonly ageMs: number; readonly time: Millis }
  /** A planned stop: come back after so long. */
  | { readonly control: "drain"; readonly reconnectMs: number }
  | { readonly control: "error"; readonly code: number; readonly message: string };

/** Reads an object of this kind; undefined when it is no control that we know. */
export function readControl(kind: string, item: Json): Control | undefined {
  switch (kind) {
    case "success":
      return readSuccess(item);
    case "subscription":
      return { control: "subscription", channels: readChannels(item), granted: readGranted(item["x"]) };
    case "gap":
      return readGap(item);
    case "h":
      return { control: "beat", epoch: epoch(textAt(item, "epoch")), ageMs: countAt(item, "age_ms"), time: timeAt(item, "t") };
    case "drain":
      return { control: "drain", reconnectMs: countAt(item, "reconnect_ms") };
    case "error":
      return { control: "error", code: countAt(item, "code"), message: textAt(item, "msg") };
    default:
      return undefined;
  }
}

function readSuccess(item: Json): Control | undefined {
  const message = textAt(item, "msg");
  return message === "connected" || message === "authenticated" ? { control: message } : undefined;
}

function readChannels(item: Json): Record<Channel, readonly string[]> {
  const entries = CHANNELS.map((channel) => [channel, textsAt(item, channel)] as const);
  return Object.fromEntries(entries) as Record<Channel, readonly string[]>;
}

function readGranted(x: unknown): Granted | undefined {
  if (x === undefined) return undefined;
  if (!isJson(x)) throw new BadField("x", "an object");
  const rejected = isJson(x["rejected"]) ? x["rejected"] : {};
  return {
    id: typeof x["id"] === "number" ? x["id"] : undefined,
    epoch: epoch(textAt(x, "epoch")),
    conflateMs: optionalCountAt(x, "conflate_ms") ?? 0,
    heartbeatMs: optionalCountAt(x, "heartbeat_ms") ?? 0,
    rejected: [...new Set(Object.keys(rejected).flatMap((channel) => textsAt(rejected, channel)))],
  };
}

function readGap(item: Json): Control | undefined {
  const name = textAt(item, "ch");
  const channel = CHANNELS.find((known) => known === name);
  if (channel === undefined) return undefined;
  return { control: "gap", channel, symbol: symbolAt(item, "S"), from: seq(countAt(item, "from")), to: seq(countAt(item, "to")) };
}
