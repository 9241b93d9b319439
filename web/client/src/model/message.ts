import type { Millis, Seq } from "./numbers";

/** The longest name of a topic that the server accepts. */
export const MAX_TOPIC_LENGTH = 24;

/** A message of a topic: what a publisher sent, or that an earlier message is taken back. */
export interface Message {
  readonly topic: string;
  /** Sequence number in the topic, rising by 1 from 1. */
  readonly seq: Seq;
  /** Number of earlier messages that were merged into this one; only topics of the kind `state` merge. */
  readonly conflated: number;
  /** A snapshot repeats the latest message at the time of the subscription, a replay is of before it. */
  readonly origin: "live" | "snapshot" | "replay";
  /** When it was published, by the server's clock. */
  readonly time: Millis;
  /** The publisher's name, set by the server. Any client may choose it where no keys are required. */
  readonly by: string | undefined;
  /** Any JSON value: what the publisher sent, unchecked; undefined if `takesBack` is set. */
  readonly data: unknown;
  /**
   * The number of an earlier message, which is taken back: it is to be shown no more. In a replay it may be the message's
   * own: its content is gone.
   */
  readonly takesBack: Seq | undefined;
}
