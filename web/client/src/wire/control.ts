import { CHANNELS, epoch, OBJECT_CHANNELS, seq, type Epoch, type ObjectChannel, type Millis, type Seq, type StockSymbol } from "../model";
import type { AlertControl } from "./alert";
import { FieldError, countField, idOf, isJsonObject, optional, optionalCountField, symbolField, textField, textListField, type JsonObject } from "./fields";
import { timeField } from "./time";
import type { TokenControl } from "./token";
import type { TopicControl } from "./topic";

/** The extensions (`x`) of an acknowledgement: the options in effect. */
export interface Acknowledgement {
  readonly id: number | undefined;
  readonly epoch: Epoch;
  readonly conflateMs: number;
  readonly heartbeatMs: number;
  /** Tickers are sent as what changed: see `CompactTickers`. */
  readonly delta: boolean;
  /** Unknown and malformed symbols, of all channels together. */
  readonly rejected: readonly string[];
}

/** A change of the feed's state, from one time to another where it has these. */
export interface FeedNotice {
  /** `live`, `down`, `back`, `ended`, `paused`, `clock` or a later one. */
  readonly state: string;
  /** The name of a source, or `clock`. */
  readonly source: string;
  readonly from: Millis | undefined;
  readonly to: Millis | undefined;
  /** Whether all of that time was published later. */
  readonly filled: boolean | undefined;
}

/** Objects of a stream that will not be delivered: the first and the last of their numbers. */
export interface MissingObjects {
  readonly channel: ObjectChannel;
  readonly symbol: StockSymbol;
  readonly from: Seq;
  readonly to: Seq;
}

/** A control message: it concerns the session, not the market. */
export type Control =
  | { readonly control: "connected" }
  | { readonly control: "authenticated" }
  | {
      readonly control: "subscription";
      readonly channels: Readonly<Record<ObjectChannel, readonly string[]>>;
      readonly topics: readonly string[];
      /** Undefined if the server does not support extensions. */
      readonly acknowledgement: Acknowledgement | undefined;
    }
  /** A range of objects that will not be delivered. */
  | { readonly control: "gap"; readonly missing: MissingObjects }
  /** The same of a topic. */
  | { readonly control: "topicGap"; readonly topic: string; readonly from: Seq; readonly to: Seq }
  | TopicControl
  | AlertControl
  | TokenControl
  /** Sent when the connection is idle; `ageMs` is the age of the latest event of the whole market. */
  | { readonly control: "heartbeat"; readonly epoch: Epoch; readonly ageMs: number; readonly time: Millis }
  /** The state of the feed changed; see the protocol for the states. */
  | { readonly control: "feed"; readonly notice: FeedNotice }
  /** An epoch begins, in which the numbers of all streams go on, unless they begin again. */
  | { readonly control: "epoch"; readonly epoch: Epoch; readonly numbers: "goOn" | "restart" }
  /** The server is shutting down; reconnect after this delay. */
  | { readonly control: "drain"; readonly reconnectMs: number }
  | ServerError;

/** An error message. */
export interface ServerError {
  readonly control: "error";
  readonly code: number;
  readonly message: string;
  /** The server's explanation; servers of others send none. */
  readonly why: string | undefined;
  /** The id of the command that failed, if it is one of those that are answered one by one. */
  readonly id: number | undefined;
  /** After this many milliseconds the command may succeed. */
  readonly retryMs: number | undefined;
}

/** Decodes a control message of the market's session; undefined if the kind is unknown. */
export function readControl(kind: string, item: JsonObject): Control | undefined {
  switch (kind) {
    case "success":
      return readSuccess(item);
    case "subscription":
      return { control: "subscription", channels: readChannels(item), topics: textListField(item, "topics"), acknowledgement: readAcknowledgement(item["x"]) };
    case "gap":
      // One that names alerts is none of a stream: theirs to read.
      return item["alerts"] === undefined ? readGap(item) : undefined;
    case "h":
      return { control: "heartbeat", epoch: epoch(textField(item, "epoch")), ageMs: countField(item, "age_ms"), time: timeField(item, "t") };
    case "feed":
      return { control: "feed", notice: readFeedNotice(item) };
    case "epoch":
      return { control: "epoch", epoch: epoch(textField(item, "epoch")), numbers: item["restart"] === true ? "restart" : "goOn" };
    case "drain":
      return { control: "drain", reconnectMs: countField(item, "reconnect_ms") };
    case "error":
      return readError(item);
    default:
      return undefined;
  }
}

function readFeedNotice(item: JsonObject): FeedNotice {
  const filled = item["filled"];
  return {
    state: textField(item, "state"),
    source: textField(item, "source"),
    from: optional(item, "from", timeField),
    to: optional(item, "to", timeField),
    filled: typeof filled === "boolean" ? filled : undefined,
  };
}

function readError(item: JsonObject): ServerError {
  const [code, message, why] = [countField(item, "code"), textField(item, "msg"), explanation(item["why"])];
  return { control: "error", code, message, why, id: idOf(item), retryMs: optionalCountField(item, "retry_ms") };
}

function explanation(why: unknown): string | undefined {
  return typeof why === "string" && why !== "" ? why : undefined;
}

function readSuccess(item: JsonObject): Control | undefined {
  const message = textField(item, "msg");
  return message === "connected" || message === "authenticated" ? { control: message } : undefined;
}

function readChannels(item: JsonObject): Record<ObjectChannel, readonly string[]> {
  const entries = OBJECT_CHANNELS.map((channel) => [channel, textListField(item, channel)] as const);
  return Object.fromEntries(entries) as Record<ObjectChannel, readonly string[]>;
}

function readAcknowledgement(x: unknown): Acknowledgement | undefined {
  if (x === undefined) return undefined;
  if (!isJsonObject(x)) throw new FieldError("x", "an object");
  const rejected = isJsonObject(x["rejected"]) ? x["rejected"] : {};
  return {
    id: idOf({ x }),
    epoch: epoch(textField(x, "epoch")),
    conflateMs: optionalCountField(x, "conflate_ms") ?? 0,
    heartbeatMs: optionalCountField(x, "heartbeat_ms") ?? 0,
    delta: x["delta"] === true,
    rejected: [...new Set(CHANNELS.flatMap((channel) => textListField(rejected, channel)))],
  };
}

function readGap(item: JsonObject): Control | undefined {
  const name = textField(item, "ch");
  const missing = { from: seq(countField(item, "from")), to: seq(countField(item, "to")) };
  if (name === "topics") return { control: "topicGap", topic: textField(item, "S"), ...missing };
  const channel = OBJECT_CHANNELS.find((known) => known === name);
  if (channel === undefined) return undefined;
  return { control: "gap", missing: { channel, symbol: symbolField(item, "S"), ...missing } };
}
