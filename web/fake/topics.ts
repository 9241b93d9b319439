/** The topics of the fake server: rooms `chat:` as logs, `weather:` as states (docs/TOPICS.md). */

/** A message on the wire. */
export type WireMessage = Readonly<Record<string, unknown>> & { readonly S: string; readonly sq: number };

export interface FakeError {
  readonly code: number;
  readonly msg: string;
  readonly retry_ms?: number;
}

/** Messages that are retained of each topic, as by the server's default. */
const HISTORY = 100;

/** The longest data, as compact JSON. */
const MAX_BYTES = 4_096;

/** A burst of messages of one session, for the rate limit. It is not refilled: tests have no time to wait. */
const BURST = 5;

/** How long a session that publishes too fast is told to wait. */
export const RETRY_MS = 2_500;

/** What a client that resumes gets of a message that was taken back. */
const withoutContent = ({ T, S, t, sq }: WireMessage): WireMessage => ({ T, S, del: sq, t, sq });

export class FakeTopics {
  readonly kind: "served" | "readOnly" | "none";
  private readonly isListed: (symbol: string) => boolean;
  private readonly logs = new Map<string, WireMessage[]>();
  private readonly numbers = new Map<string, number>();

  constructor(kind: FakeTopics["kind"], isListed: (symbol: string) => boolean) {
    this.kind = kind;
    this.isListed = isListed;
  }

  mayExist(topic: string): boolean {
    const [namespace, name = ""] = topic.split(":");
    if (this.kind === "none") return false;
    return namespace === "weather" ? name !== "" : namespace === "chat" && (name === "lobby" || this.isListed(name));
  }

  /** Why a session that published this often before may not publish; undefined if it may. */
  refusal(topic: string, data: unknown, published: number): FakeError | undefined {
    if (!this.mayExist(topic)) return { code: 430, msg: "no such topic" };
    if (this.kind === "readOnly" || !topic.startsWith("chat:")) return { code: 431, msg: "not permitted" };
    if (JSON.stringify(data).length > MAX_BYTES) return { code: 432, msg: "message too big" };
    if (published >= BURST) return { code: 433, msg: "too fast", retry_ms: RETRY_MS };
    return undefined;
  }

  /** Appends a message. */
  append(topic: string, content: Readonly<Record<string, unknown>>, at = new Date()): WireMessage {
    const sq = (this.numbers.get(topic) ?? 0) + 1;
    this.numbers.set(topic, sq);
    const message = { T: "m", S: topic, ...content, t: at.toISOString(), sq };
    const before = (this.logs.get(topic) ?? []).map((one) => (one.sq === content["del"] ? withoutContent(one) : one));
    this.logs.set(topic, [...before, message].slice(-HISTORY));
    return message;
  }

  latest(topic: string): WireMessage | undefined {
    return this.logs.get(topic)?.at(-1);
  }

  /** What a client that has this number gets: a gap, if something is not retained, and the messages after it. */
  after(topic: string, last: number, epoch: "same" | "other"): readonly object[] {
    const newest = this.numbers.get(topic) ?? 0;
    const gap = (from: number, to: number) => ({ T: "gap", S: topic, ch: "topics", from, to });
    if (epoch === "other") return newest > 0 ? [gap(1, newest)] : [];
    if (topic.startsWith("weather:")) return last < newest ? [{ ...this.latest(topic), cf: newest - last - 1 }] : [];
    const messages = (this.logs.get(topic) ?? []).filter(({ sq }) => sq > last);
    const first = messages[0]?.sq ?? newest + 1;
    return [...(first > last + 1 ? [gap(last + 1, first - 1)] : []), ...messages];
  }
}
