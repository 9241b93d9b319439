import type { WebSocket } from "ws";
import { FakeAlerts } from "./alerts";
import type { FakeTopics, WireMessage } from "./topics";
import { channelOf, type FakeMarket, type WireObject } from "./market";
import { FakeTickerEncoder } from "./ticker-encoder";

const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "tickers"] as const;

/** The channels that are conflated to the latest object. */
const CONFLATED = new Set(["quotes", "bars", "updatedBars", "dailyBars", "tickers"]);

/** A command of a client. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** State shared by the sessions of a server. */
export interface Shared {
  readonly epoch: string;
  readonly market: FakeMarket;
  readonly topics: FakeTopics;
  /** Whether the server knows the commands of alerts. */
  readonly hasAlerts: boolean;
  /** Whether the server knows the options `fields` and `delta`. */
  readonly hasCompactTickers: boolean;
  /** Sends a message to the sessions that subscribe to its topic. */
  readonly broadcast: (message: WireMessage) => void;
  /** The labels of the sessions that subscribe to a topic. */
  readonly present: (topic: string) => readonly string[];
  /** The retained objects of all streams, oldest first. */
  readonly retained: readonly WireObject[];
  readonly isListed: (symbol: string) => boolean;
  readonly eventAt: () => number;
  readonly isFrozen: () => boolean;
}

/** The session of one client, with extensions (docs/PROTOCOL.md, "Extensions"). */
export class FakeSession {
  readonly socket: WebSocket;
  /** The `userId` of the URL. */
  readonly label: string;
  readonly topics = new Set<string>();
  private published = 0;
  private readonly alerts = new FakeAlerts();
  private readonly tickers = new FakeTickerEncoder();
  private readonly shared: Shared;
  private readonly subscribed = new Map<string, Set<string>>(CHANNELS.map((channel) => [channel, new Set()]));
  private conflateMs = 0;
  private heartbeatMs = 0;
  private pending: WireObject[] = [];
  private flushTimer: NodeJS.Timeout | undefined;
  private heartbeatTimer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, label: string, shared: Shared) {
    this.socket = socket;
    this.label = label;
    this.shared = shared;
    this.write([{ T: "success", msg: "connected" }]);
  }

  handle(command: JsonObject): void {
    if (command["action"] === "auth") this.write([{ T: "success", msg: "authenticated" }]);
    else if (command["action"] === "publish") this.publish(command);
    else if (command["action"] === "presence") this.presence(command);
    else if (command["action"] === "alert" || command["action"] === "unalert") this.alert(command);
    else this.subscribe(command);
  }

  /** The command is not JSON. */
  refuse(): void {
    this.write([{ T: "error", code: 400, msg: "invalid syntax", why: "not JSON" }]);
  }

  private alert({ action, S, id, when, once, ids, x }: JsonObject): void {
    const [symbol, name] = [String(S), String(id)];
    const { id: commandId, since } = (x ?? {}) as { readonly id?: unknown; readonly since?: { readonly epoch: string; readonly sq: number } };
    if (!this.shared.hasAlerts) {
      // The server does not read the id of a command that it does not know.
      this.write([{ T: "error", code: 400, msg: "invalid syntax", why: `unknown action \`${String(action)}\`` }]);
      return;
    }
    if (action === "unalert") this.alerts.remove((ids ?? []) as string[]);
    else if (!this.shared.isListed(symbol) || !this.alerts.set(symbol, name, String(when), once !== false, this.priceOf(symbol))) {
      this.write([{ T: "error", code: 435, msg: "bad condition", why: "no condition, or no such symbol", x: { id: commandId } }]);
      return;
    }
    this.write([{ T: "alerts", list: this.alerts.list, epoch: this.shared.epoch, x: { id: commandId } }]);
    if (since?.epoch !== this.shared.epoch) return;
    this.alerts.rearm(name);
    this.judge(this.shared.retained.filter(({ S, sq }) => S === symbol && sq > since.sq));
  }

  private priceOf(symbol: string) {
    const { p, pc }: Readonly<Record<string, unknown>> = this.shared.market.latestOf("tickers", symbol) ?? {};
    return { last: Number(p), previousClose: Number(pc), sq: this.shared.market.latestOf("trades", symbol)?.sq ?? 0 };
  }

  private judge(objects: readonly WireObject[]): void {
    const fires = objects.flatMap((object) => this.alerts.judge(object));
    if (fires.length > 0) this.write(fires);
  }

  private publish({ topic, data, x }: JsonObject): void {
    const name = String(topic);
    const refusal = this.shared.topics.refusal(name, data, this.published);
    if (refusal !== undefined) {
      this.write([{ T: "error", ...refusal, x }]);
      return;
    }
    this.published += 1;
    const message = this.shared.topics.append(name, { d: data, by: this.label });
    this.shared.broadcast(message);
    this.write([{ T: "published", topic: name, sq: message.sq, epoch: this.shared.epoch, x }]);
  }

  private presence({ topic, x }: JsonObject): void {
    const name = String(topic);
    if (!this.shared.topics.mayExist(name)) {
      this.write([{ T: "error", code: 430, msg: "no such topic", x }]);
      return;
    }
    const labels = this.shared.present(name);
    const list = [...new Set(labels)].sort();
    this.write([{ T: "presence", topic: name, sessions: labels.length, names: list.length, list, x }]);
  }

  private subscribe(command: JsonObject): void {
    const x = (command["x"] ?? undefined) as JsonObject | undefined;
    const rejected: Record<string, string[]> = {};
    const added: [string, string][] = [];
    for (const [channel, set] of this.subscribed) {
      for (const symbol of (command[channel] ?? []) as string[]) {
        if (command["action"] === "unsubscribe") this.drop(channel, set, symbol);
        else if (x !== undefined && symbol !== "*" && !this.shared.isListed(symbol)) (rejected[channel] ??= []).push(symbol);
        else if (!set.has(symbol) && set.add(symbol).size > 0) added.push([channel, symbol]);
      }
    }
    const newTopics = this.changeTopics(command, rejected);
    if (typeof x?.["conflate_ms"] === "number") this.conflateMs = x["conflate_ms"];
    if (typeof x?.["heartbeat_ms"] === "number") this.heartbeatMs = x["heartbeat_ms"];
    if (x !== undefined) this.compact(x, rejected);
    this.acknowledge(x, rejected);
    if (x?.["snapshot"] === true) this.snapshot(added);
    if (x?.["resume"] !== undefined) this.resume(x["resume"] as JsonObject, newTopics);
    if (x?.["snapshot"] === true) this.snapshotTopics(newTopics, x["resume"] as JsonObject | undefined);
    this.restartHeartbeat();
  }

  /** Nothing of the stream arrives any more, not even what is pending. */
  private drop(channel: string, set: Set<string>, symbol: string): void {
    set.delete(symbol);
    this.pending = this.pending.filter((object) => this.wants(object));
    if (channel === "tickers") this.tickers.forget(symbol);
  }

  /** What is pending is sent as it was asked for before. */
  private compact(x: JsonObject, rejected: Record<string, unknown>): void {
    const asked = ["fields", "delta"].filter((key) => x[key] !== undefined);
    if (asked.length === 0) return;
    if (!this.shared.hasCompactTickers) {
      rejected["x"] = asked;
      return;
    }
    this.flush();
    const unknown = this.tickers.set(x);
    if (unknown.length > 0) rejected["fields"] = { tickers: unknown };
  }

  private changeTopics({ action, topics }: JsonObject, rejected: Record<string, string[]>): readonly string[] {
    return ((topics ?? []) as string[]).filter((topic) => {
      if (action === "unsubscribe") return this.topics.delete(topic) && false;
      if (!this.shared.topics.mayExist(topic)) (rejected["topics"] ??= []).push(topic);
      else if (!this.topics.has(topic)) return this.topics.add(topic).has(topic);
      return false;
    });
  }

  private snapshotTopics(topics: readonly string[], resume: JsonObject | undefined): void {
    const { topics: resumed = {} } = (resume?.["sq"] ?? {}) as Readonly<Record<string, object>>;
    const latest = topics.filter((topic) => !(topic in resumed)).flatMap((topic) => this.shared.topics.latest(topic) ?? []);
    if (latest.length > 0) this.write(latest.map((message) => ({ ...message, sn: true })));
  }

  deliverMessage(message: WireMessage): void {
    if (this.topics.has(message.S)) this.write([message]);
  }

  deliver(objects: readonly WireObject[]): void {
    this.judge(objects);
    const wanted = objects.filter((object) => this.wants(object));
    if (wanted.length === 0) return;
    if (this.conflateMs === 0) {
      this.send(wanted);
      return;
    }
    for (const object of wanted) this.queue(object);
    this.flushTimer ??= setTimeout(() => {
      this.flush();
    }, this.conflateMs);
  }

  drain(reconnectMs: number): void {
    this.write([{ T: "drain", reconnect_ms: reconnectMs }]);
  }

  end(): void {
    clearTimeout(this.flushTimer);
    clearInterval(this.heartbeatTimer);
  }

  private wants({ S, ...object }: WireObject): boolean {
    const channel = channelOf({ S, ...object });
    const set = this.subscribed.get(["cancelErrors", "corrections"].includes(channel) ? "trades" : channel);
    return set !== undefined && (set.has(S) || set.has("*"));
  }

  /** Replaces a pending object of a conflated channel and counts it in `cf`; appends all others. */
  private queue(object: WireObject): void {
    const isConflated = CONFLATED.has(channelOf(object));
    const at = isConflated ? this.pending.findIndex(({ T, S }) => T === object.T && S === object.S) : -1;
    const before = this.pending[at];
    if (before === undefined) this.pending.push(object);
    else this.pending[at] = { ...object, cf: Number(before["cf"] ?? 0) + 1 };
  }

  private flush(): void {
    this.flushTimer = undefined;
    const { pending } = this;
    this.pending = [];
    if (pending.length > 0) this.send(pending);
  }

  private acknowledge(x: JsonObject | undefined, rejected: Readonly<Record<string, unknown>>): void {
    const lists: Readonly<Record<string, readonly string[]>> = Object.fromEntries([...this.subscribed].map(([channel, set]) => [channel, [...set]]));
    const { tickers = [], ...standard } = { ...lists, cancelErrors: lists["trades"] ?? [], corrections: lists["trades"] ?? [] };
    const options = { id: x?.["id"], epoch: this.shared.epoch, conflate_ms: this.conflateMs, heartbeat_ms: this.heartbeatMs, ...this.tickers.granted };
    const topics = this.topics.size > 0 ? { topics: [...this.topics].sort() } : {};
    const extended = x === undefined ? {} : { x: { ...options, ...(Object.keys(rejected).length > 0 ? { rejected } : {}) } };
    this.write([{ T: "subscription", ...standard, ...(tickers.length > 0 || x !== undefined ? { tickers } : {}), ...topics, ...extended }]);
  }

  private snapshot(added: readonly (readonly [string, string])[]): void {
    const latest = added.flatMap(([channel, symbol]) => (symbol === "*" ? this.shared.market.allOf(channel) : (this.shared.market.latestOf(channel, symbol) ?? [])));
    if (latest.length > 0) this.send(latest.map((object) => ({ ...object, sn: true })));
  }

  private resume({ epoch, sq }: JsonObject, newTopics: readonly string[]): void {
    const { topics = {}, ...market } = sq as Record<string, Record<string, number>>;
    for (const [topic, last] of Object.entries(topics).filter(([topic]) => newTopics.includes(topic))) {
      const messages = this.shared.topics.after(topic, last, epoch === this.shared.epoch ? "same" : "other");
      if (messages.length > 0) this.write(messages);
    }
    for (const [channel, streams] of Object.entries(market)) {
      for (const [symbol, last] of Object.entries(streams)) {
        const retained = this.shared.retained.filter((object) => channelOf(object) === channel && object.S === symbol);
        const latest = this.shared.market.latestOf(channel, symbol)?.sq ?? 0;
        if (channel === "tickers") this.tickers.forget(symbol);
        if (epoch !== this.shared.epoch) {
          if (latest > 0) this.write([{ T: "gap", S: symbol, ch: channel, from: 1, to: latest }]);
          continue;
        }
        const after = retained.filter((object) => object.sq > last);
        const first = after[0]?.sq ?? latest + 1;
        if (first > last + 1) this.write([{ T: "gap", S: symbol, ch: channel, from: last + 1, to: first - 1 }]);
        if (after.length > 0) this.send(after);
      }
    }
  }

  /** Sends objects of the market. A frozen server forgets nothing: it sends nothing. */
  private send(objects: readonly WireObject[]): void {
    if (!this.shared.isFrozen()) this.write(objects.map((object) => this.tickers.encode(object)));
  }

  private write(objects: readonly object[]): void {
    if (this.shared.isFrozen()) return;
    this.socket.send(JSON.stringify(objects));
    this.restartHeartbeat();
  }

  private restartHeartbeat(): void {
    clearInterval(this.heartbeatTimer);
    if (this.heartbeatMs === 0) return;
    this.heartbeatTimer = setInterval(() => {
      if (this.shared.isFrozen()) return;
      const now = Date.now();
      const t = new Date(now).toISOString();
      this.socket.send(JSON.stringify([{ T: "h", epoch: this.shared.epoch, age_ms: now - this.shared.eventAt(), t }]));
    }, this.heartbeatMs);
  }
}
