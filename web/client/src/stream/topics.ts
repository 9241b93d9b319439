import { millis, type Epoch, type Message, type Millis } from "../model";
import * as wire from "../wire";
import type { Control, Presence, Published } from "../wire";
import type { Client } from "./client";
import { Listeners } from "./listeners";
import { disconnected, Requests, type RequestError } from "./requests";
import { StreamNumbers, type Gap, type Missing } from "./sequence";
import type { CommandPort, SessionPart } from "./session-part";

/** Whether the server sends the messages of a topic. A rejected topic may not exist, or the server has no topics. */
export type TopicStatus = "pending" | "subscribed" | "rejected";

/** Messages are missing from a topic. */
export type TopicGap = Missing & { readonly topic: string; readonly detectedBy: Gap["detectedBy"] };

/** The events of the topics. */
export interface TopicEvents {
  /** A message of a subscribed topic, in order and without duplicates. */
  message: Message;
  gap: TopicGap;
  status: { readonly topic: string; readonly status: TopicStatus };
  /** The numbers of a topic began anew, since the server was restarted: earlier numbers mean nothing now. */
  restart: { readonly topic: string };
}

interface Subscription {
  readonly history: "latest" | "all";
  status: TopicStatus;
  /** The command that subscribes on this connection. */
  commandId: number | undefined;
  subscribedAt: Millis;
  /** A resume of this connection is not answered yet. */
  isResuming: boolean;
}

/**
 * The topics of a client. Subscriptions outlive the connection: on each new one they resume after the last message.
 *
 * The command is sent once the epoch is known, that is after the first acknowledgement of a connection: only then is it
 * known whether numbers of before still count.
 */
export class Topics implements SessionPart {
  readonly read = wire.readTopicControl;
  private readonly port: CommandPort;
  private readonly listeners = new Listeners<TopicEvents>();
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly numbers = new StreamNumbers<string>();
  private readonly publications: Requests<Published>;
  private readonly presences: Requests<Presence>;

  /** The topics of this client. To be made once for each client. */
  constructor(client: Client) {
    this.port = client.attach(this);
    this.publications = new Requests(this.port.runtime);
    this.presences = new Requests(this.port.runtime);
  }

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof TopicEvents>(name: Name, listener: (value: TopicEvents[Name]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Subscribes to topics, with their latest message or with all messages that the server retains. */
  subscribe(topics: readonly string[], { history = "latest" }: { readonly history?: "latest" | "all" } = {}): void {
    const added = [...new Set(topics)].filter((topic) => !this.subscriptions.has(topic));
    for (const topic of added) {
      this.subscriptions.set(topic, { history, status: "pending", commandId: undefined, subscribedAt: millis(0), isResuming: false });
    }
    if (added.length === 0) return;
    if (this.port.isAcknowledged()) this.request(added);
    else this.port.requestAcknowledgement();
  }

  unsubscribe(topics: readonly string[]): void {
    const removed = topics.filter((topic) => this.subscriptions.delete(topic));
    for (const topic of removed) this.numbers.forget(topic);
    if (removed.length > 0 && this.port.isAcknowledged()) this.port.send(wire.unsubscribeTopics(removed));
  }

  /**
   * Publishes any JSON value but null. Rejects with a `RequestError`: of code 430 (no such topic), 431 (not permitted),
   * 432 (too big), 433 (too fast, with `retryMs`), or without an answer (published or not).
   */
  async publish(topic: string, data: unknown): Promise<Published> {
    return await this.ask(this.publications, (id) => wire.publish(id, topic, data));
  }

  /** How many sessions subscribe to a topic. Rejects with a `RequestError`: of code 430, or 431 if this is not told. */
  async presence(topic: string): Promise<Presence> {
    return await this.ask(this.presences, (id) => wire.presence(id, topic));
  }

  /** Undefined for a topic that is not subscribed to. */
  statusOf(topic: string): TopicStatus | undefined {
    return this.subscriptions.get(topic)?.status;
  }

  /** True without subscriptions: there is nothing to ask for on a new connection. */
  get isEmpty(): boolean {
    return this.subscriptions.size === 0;
  }

  /** The first acknowledgement of a connection arrived. */
  begin(epochIs: "first" | "known" | "new"): void {
    if (epochIs !== "known") this.restart();
    this.request([...this.subscriptions.keys()]);
  }

  /** The numbers of all topics begin again. */
  restart(): void {
    for (const topic of this.subscriptions.keys()) {
      if (this.numbers.of(topic) !== undefined) this.listeners.emit("restart", { topic });
    }
    this.numbers.clear();
  }

  /** The connection ended: nothing more is answered on it. */
  disconnected(): void {
    this.publications.failAll();
    this.presences.failAll();
    for (const topic of this.subscriptions.keys()) this.setStatus(topic, "pending");
  }

  /** A subscribe command of this id is acknowledged with these topics in force. */
  private acknowledged(id: number | undefined, topics: readonly string[]): void {
    for (const [topic, { commandId }] of this.subscriptions) {
      if (id !== undefined && commandId === id) this.setStatus(topic, topics.includes(topic) ? "subscribed" : "rejected");
    }
  }

  handle(control: Control): void {
    if (control.control === "message") this.received(control.message);
    else if (control.control === "topicGap") this.skipMessages(control.topic, control);
    else if (control.control === "published") this.publications.succeed(control.id, control.published);
    else if (control.control === "presence") this.presences.succeed(control.id, control.presence);
    else if (control.control === "subscription") this.acknowledged(control.acknowledgement?.id, control.topics);
  }

  /** The command of this id failed; false if it is none about topics. */
  failed(id: number | undefined, error: RequestError): boolean {
    return this.publications.fail(id, error) || this.presences.fail(id, error);
  }

  private ask<Reply>(requests: Requests<Reply>, command: (id: number) => string): Promise<Reply> {
    if (!this.port.isLive()) return Promise.reject(disconnected());
    const id = this.port.nextId();
    const answer = requests.answerTo(id);
    this.port.send(command(id));
    return answer;
  }

  private received(message: Message): void {
    const { topic } = message;
    const subscription = this.subscriptions.get(topic);
    // One that was in transit when its topic was unsubscribed. Those of a new subscription follow its acknowledgement.
    if (subscription?.status !== "subscribed") return;
    const order = this.numbers.check(topic, message);
    if (order === "duplicate") return;
    if (order !== "next") this.listeners.emit("gap", { topic, ...order, detectedBy: "client" });
    subscription.isResuming = false;
    const isReplayed = message.origin === "live" && message.time < subscription.subscribedAt;
    this.listeners.emit("message", isReplayed ? { ...message, origin: "replay" } : message);
  }

  /**
   * Handles a gap that the server reported. A gap from number 1 that answers a resume is no loss: the server does not
   * have the beginning, or the topic began anew.
   */
  private skipMessages(topic: string, { from, to }: Missing): void {
    const subscription = this.subscriptions.get(topic);
    if (subscription === undefined) return;
    this.numbers.skip(topic, { from, to });
    const isBeginning = subscription.isResuming && from <= 1;
    subscription.isResuming = false;
    if (!isBeginning) this.listeners.emit("gap", { topic, from, to, detectedBy: "server" });
  }

  private request(topics: readonly string[]): void {
    if (topics.length === 0) return;
    const id = this.port.nextId();
    const epoch = this.port.epoch();
    const last = epoch === undefined ? {} : this.resumeNumbers(topics);
    for (const topic of topics) {
      const subscription = this.subscriptions.get(topic);
      if (subscription === undefined) continue;
      Object.assign(subscription, { commandId: id, subscribedAt: this.port.runtime.now(), isResuming: topic in last });
    }
    this.port.send(wire.subscribeTopics({ id, topics, ...(epoch === undefined ? {} : resumeOf(epoch, last)) }));
  }

  /** The numbers after which topics resume: 0 for all that is retained. Others get a snapshot. */
  private resumeNumbers(topics: readonly string[]): Readonly<Record<string, number>> {
    const numbers = topics.map((topic) => {
      const first = this.subscriptions.get(topic)?.history === "all" ? 0 : undefined;
      return [topic, this.numbers.of(topic) ?? first] as const;
    });
    return Object.fromEntries(numbers.flatMap(([topic, number]) => (number === undefined ? [] : [[topic, number]])));
  }

  private setStatus(topic: string, status: TopicStatus): void {
    const subscription = this.subscriptions.get(topic);
    if (subscription === undefined || subscription.status === status) return;
    subscription.status = status;
    this.listeners.emit("status", { topic, status });
  }
}

function resumeOf(epoch: Epoch, last: Readonly<Record<string, number>>) {
  return Object.keys(last).length === 0 ? {} : { resume: { epoch, last } };
}
