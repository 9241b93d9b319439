import type { WebSocket } from "ws";
import { channelOf, type FakeMarket, type WireObject } from "./market";

const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "tickers"] as const;

/** The channels in which only the newest object counts. */
const CONFLATED = new Set(["quotes", "bars", "updatedBars", "dailyBars", "tickers"]);

/** A command as a client sent it. */
export type Typed = Readonly<Record<string, unknown>>;

/** What the sessions of one server share. */
export interface Shared {
  readonly epoch: string;
  readonly market: FakeMarket;
  /** All that happened, oldest first, as far as it is kept. */
  readonly kept: readonly WireObject[];
  readonly knows: (symbol: string) => boolean;
  readonly eventAt: () => number;
}

/** One client's conversation, extensions and all (section 4 of the protocol). */
export class FakeSession {
  readonly socket: WebSocket;
  private readonly shared: Shared;
  private readonly subscribed = new Map<string, Set<string>>(CHANNELS.map((channel) => [channel, new Set()]));
  private conflateMs = 0;
  private heartbeatMs = 0;
  private waiting: WireObject[] = [];
  private flushTimer: NodeJS.Timeout | undefined;
  private beatTimer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, shared: Shared) {
    this.socket = socket;
    this.shared = shared;
    this.write([{ T: "success", msg: "connected" }]);
  }

  obey(command: Typed): void {
    const x = (command["x"] ?? undefined) as Typed | undefined;
    const rejected: Record<string, string[]> = {};
    const added: [string, string][] = [];
    for (const [channel, set] of this.subscribed) {
      for (const symbol of (command[channel] ?? []) as string[]) {
        if (command["action"] === "unsubscribe") set.delete(symbol);
        else if (x !== undefined && symbol !== "*" && !this.shared.knows(symbol)) (rejected[channel] ??= []).push(symbol);
        else if (!set.has(symbol) && set.add(symbol).size > 0) added.push([channel, symbol]);
      }
    }
    if (typeof x?.["conflate_ms"] === "number") this.conflateMs = x["conflate_ms"];
    if (typeof x?.["heartbeat_ms"] === "number") this.heartbeatMs = x["heartbeat_ms"];
    this.acknowledge(x, rejected);
    if (x?.["snapshot"] === true) this.snapshot(added);
    if (x?.["resume"] !== undefined) this.resume(x["resume"] as Typed);
    this.restartBeat();
  }

  deliver(objects: readonly WireObject[]): void {
    const wanted = objects.filter((object) => this.wants(object));
    if (wanted.length === 0) return;
    if (this.conflateMs === 0) {
      this.write(wanted);
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
    clearInterval(this.beatTimer);
  }

  private wants({ S, ...object }: WireObject): boolean {
    const set = this.subscribed.get(channelOf({ S, ...object }));
    return set !== undefined && (set.has(S) || set.has("*"));
  }

  /** Newer takes the place of older and says how many it stands for; trades wait in order. */
  private queue(object: WireObject): void {
    const isConflated = CONFLATED.has(channelOf(object));
    const at = isConflated ? this.waiting.findIndex(({ T, S }) => T === object.T && S === object.S) : -1;
    const before = this.waiting[at];
    if (before === undefined) this.waiting.push(object);
    else this.waiting[at] = { ...object, cf: Number(before["cf"] ?? 0) + 1 };
  }

  private flush(): void {
    this.flushTimer = undefined;
    const { waiting } = this;
    this.waiting = [];
    if (waiting.length > 0) this.write(waiting);
  }

  private acknowledge(x: Typed | undefined, rejected: Record<string, string[]>): void {
    const lists = Object.fromEntries([...this.subscribed].map(([channel, set]) => [channel, [...set]]));
    const { tickers, ...nine } = { ...lists, cancelErrors: lists["trades"], corrections: lists["trades"] } as Record<string, unknown>;
    const granted = { id: x?.["id"], epoch: this.shared.epoch, conflate_ms: this.conflateMs, heartbeat_ms: this.heartbeatMs };
    const ours = x === undefined ? {} : { tickers, x: { ...granted, ...(Object.keys(rejected).length > 0 ? { rejected } : {}) } };
    this.write([{ T: "subscription", ...nine, ...ours }]);
  }

  private snapshot(added: readonly (readonly [string, string])[]): void {
    const newest = added.flatMap(([channel, symbol]) => this.shared.market.newestOf(channel, symbol) ?? []);
    if (newest.length > 0) this.write(newest.map((object) => ({ ...object, sn: true })));
  }

  private resume({ epoch, sq }: Typed): void {
    for (const [channel, streams] of Object.entries(sq as Record<string, Record<string, number>>)) {
      for (const [symbol, last] of Object.entries(streams)) {
        const kept = this.shared.kept.filter((object) => channelOf(object) === channel && object.S === symbol);
        const newest = this.shared.market.newestOf(channel, symbol)?.sq ?? 0;
        if (epoch !== this.shared.epoch) {
          if (newest > 0) this.write([{ T: "gap", S: symbol, ch: channel, from: 1, to: newest }]);
          continue;
        }
        const after = kept.filter((object) => object.sq > last);
        const first = after[0]?.sq ?? newest + 1;
        if (first > last + 1) this.write([{ T: "gap", S: symbol, ch: channel, from: last + 1, to: first - 1 }]);
        if (after.length > 0) this.write(after);
      }
    }
  }

  private write(objects: readonly object[]): void {
    this.socket.send(JSON.stringify(objects));
    this.restartBeat();
  }

  private restartBeat(): void {
    clearInterval(this.beatTimer);
    if (this.heartbeatMs === 0) return;
    this.beatTimer = setInterval(() => {
      const now = Date.now();
      const t = new Date(now).toISOString();
      this.socket.send(JSON.stringify([{ T: "h", epoch: this.shared.epoch, age_ms: now - this.shared.eventAt(), t }]));
    }, this.heartbeatMs);
  }
}
