import { MAX_TOPIC_LENGTH, type Message, type Millis, type Seq, type StockSymbol } from "@tapecast/client";
import { OwnMessages } from "./own-messages";

/** The namespace of the rooms. */
const NAMESPACE = "chat:";

/** The room of everybody. */
export const LOBBY = `${NAMESPACE}lobby`;

/** The room of a symbol; undefined if its name would be too long for a topic. */
export function roomOf(symbol: StockSymbol): string | undefined {
  const topic = `${NAMESPACE}${symbol}`;
  return topic.length <= MAX_TOPIC_LENGTH ? topic : undefined;
}

/** `AAPL` for `chat:AAPL`. */
export const nameOfRoom = (topic: string): string => topic.slice(NAMESPACE.length);

/** What is kept of a room; the server keeps 100 messages by default. */
const MAX_LINES = 200;

/** The longest text that is shown of one message, in characters. The server allows 4,096 bytes by default. */
const MAX_TEXT = 5_000;

/** A line of a room. A line that changes is another object. */
export type RoomLine =
  | { readonly kind: "message"; readonly seq: Seq; readonly time: Millis; readonly by: string; readonly text: string; readonly isOwn: boolean }
  /** A message was here and was taken back. */
  | { readonly kind: "takenBack"; readonly seq: Seq; readonly time: Millis }
  /** So many messages are missing here. */
  | { readonly kind: "gap"; readonly count: number };

/** Whether a room can be read and written in. A missing one is none of this server's. */
export type RoomAccess = "connecting" | "open" | "readOnly" | "missing";

/** A room as it is shown. */
export interface ShownRoom {
  readonly room: ChatRoom;
  readonly access: RoomAccess;
}

/** Why a message was not sent. */
export type SendError =
  | { readonly kind: "notPermitted" | "tooLong" | "noRoom" | "disconnected" | "unanswered" }
  | { readonly kind: "tooFast"; readonly retryMs: number }
  /** By a moderator, for so long. */
  | { readonly kind: "muted"; readonly seconds: number }
  /** By the server, with this code, and a sentence in English. */
  | { readonly kind: "other"; readonly code: number | string; readonly message: string };

/** The messages of a room, oldest first, and how many of them were not seen. */
export class ChatRoom {
  readonly topic: string;
  /** Since when this page follows the room: what is older is history, not news. */
  private readonly since: Millis;
  private all: readonly RoomLine[] = [];
  private readonly unseen = new Set<Seq>();
  /** The numbers of messages that this page published. */
  private readonly published = new Set<Seq>();
  private readonly own: OwnMessages;

  /** `own` are the user's messages, to which those that this page publishes are added. */
  constructor(topic: string, now: Millis, own = new OwnMessages()) {
    this.topic = topic;
    this.since = now;
    this.own = own;
  }

  get lines(): readonly RoomLine[] {
    return this.all;
  }

  get unread(): number {
    return this.unseen.size;
  }

  apply(message: Message): void {
    const { seq, time, by = "", data, takesBack } = message;
    if (takesBack !== undefined) {
      this.unseen.delete(takesBack);
      // In a replay a message that was taken back names itself, in its own place.
      if (takesBack === seq) this.append({ kind: "takenBack", seq, time });
      this.replace(takesBack, () => ({ kind: "takenBack", seq: takesBack, time }));
      return;
    }
    if (this.published.has(seq)) this.own.add(this.topic, seq, time);
    const isOwn = this.own.has(this.topic, seq, time);
    if (time > this.since && !isOwn) this.unseen.add(seq);
    this.append({ kind: "message", seq, time, by, text: textOf(data), isOwn });
  }

  /** Messages are missing before the next one. */
  addGap(count: number): void {
    this.append({ kind: "gap", count });
  }

  /** The server confirmed that this page published this message, before or after it arrived. */
  markOwn(seq: Seq): void {
    this.published.add(seq);
    this.unseen.delete(seq);
    this.replace(seq, (line) => {
      if (line.kind !== "message") return line;
      this.own.add(this.topic, seq, line.time);
      return { ...line, isOwn: true };
    });
  }

  markRead(): void {
    this.unseen.clear();
  }

  /** The numbers begin anew: the messages of before are gone. */
  clear(): void {
    this.all = [];
    this.unseen.clear();
    this.published.clear();
  }

  private append(line: RoomLine): void {
    this.all = [...this.all, line].slice(-MAX_LINES);
  }

  private replace(seq: Seq, by: (line: RoomLine) => RoomLine): void {
    this.all = this.all.map((line) => (line.kind !== "gap" && line.seq === seq ? by(line) : line));
  }
}

/** The text of a message. A publisher may send any JSON; what is no text is shown as JSON. */
function textOf(data: unknown): string {
  const text = typeof data === "object" && data !== null && "text" in data ? data.text : data;
  return (typeof text === "string" ? text : JSON.stringify(data)).slice(0, MAX_TEXT);
}
