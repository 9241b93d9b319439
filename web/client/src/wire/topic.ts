import { epoch, seq, type Epoch, type Message, type Seq } from "../model";
import { countField, FieldError, idOf, optionalCountField, textField, textListField, type JsonObject } from "./fields";
import { timeField } from "./time";

/** A message was published. */
export interface Published {
  readonly topic: string;
  /** The number of the message in its topic. */
  readonly seq: Seq;
  readonly epoch: Epoch;
}

/** The sessions that subscribe to a topic, on the server's node that answers. */
export interface Presence {
  readonly topic: string;
  readonly sessions: number;
  /** Number of different names among them. */
  readonly names: number;
  /** At most 100 names; empty if the server tells only numbers. */
  readonly list: readonly string[];
}

/** A control message about topics. */
export type TopicControl =
  | { readonly control: "message"; readonly message: Message }
  | { readonly control: "published"; readonly id: number | undefined; readonly published: Published }
  | { readonly control: "presence"; readonly id: number | undefined; readonly presence: Presence };

/** Decodes a control message about topics; undefined if it is of another kind. */
export function readTopicControl(kind: string, item: JsonObject): TopicControl | undefined {
  switch (kind) {
    case "m":
      return { control: "message", message: readMessage(item) };
    case "published": {
      const published = { topic: textField(item, "topic"), seq: seq(countField(item, "sq")), epoch: epoch(textField(item, "epoch")) };
      return { control: "published", id: idOf(item), published };
    }
    case "presence": {
      const [sessions, names] = [countField(item, "sessions"), countField(item, "names")];
      return { control: "presence", id: idOf(item), presence: { topic: textField(item, "topic"), sessions, names, list: textListField(item, "list") } };
    }
    default:
      return undefined;
  }
}

function readMessage(item: JsonObject): Message {
  const takesBack = optionalCountField(item, "del");
  if (takesBack === undefined && item["d"] === undefined) throw new FieldError("d", "present");
  return {
    topic: textField(item, "S"),
    seq: seq(countField(item, "sq")),
    conflated: optionalCountField(item, "cf") ?? 0,
    origin: item["sn"] === true ? "snapshot" : "live",
    time: timeField(item, "t"),
    by: typeof item["by"] === "string" ? item["by"] : undefined,
    data: takesBack === undefined ? item["d"] : undefined,
    takesBack: takesBack === undefined ? undefined : seq(takesBack),
  };
}

/** A subscription to topics: a snapshot of each, but of those that resume after a number what came since. */
export interface TopicSelection {
  readonly id: number;
  readonly topics: readonly string[];
  readonly resume?: { readonly epoch: Epoch; readonly last: Readonly<Record<string, number>> };
}

export function subscribeTopics({ id, topics, resume }: TopicSelection): string {
  const x = { id, snapshot: true, ...(resume === undefined ? {} : { resume: { epoch: resume.epoch, sq: { topics: resume.last } } }) };
  return JSON.stringify({ action: "subscribe", topics, x });
}

export const unsubscribeTopics = (topics: readonly string[]): string => JSON.stringify({ action: "unsubscribe", topics });

/** `data` is any JSON value but null; */
export const publish = (id: number, topic: string, data: unknown): string => JSON.stringify({ action: "publish", topic, data, x: { id } });

export const presence = (id: number, topic: string): string => JSON.stringify({ action: "presence", topic, x: { id } });
