import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { mulberry32, type WireObject } from "../../../fake/market";
import { FakeRuntime } from "../../../fake/runtime";
import { FakeTickerEncoder } from "../../../fake/ticker-encoder";
import type { Ticker } from "../model";
import { keysOf, readFrame, type TickerField } from "../wire";
import { Client, CompactTickers } from ".";

const SYMBOLS = ["AAPL", "KO", "BRK.B"].map(symbol);
const FIELDS: readonly TickerField[] = ["last", "bid", "bidSize", "ask", "askSize", "open", "high", "low", "previousClose", "volume", "averagePrice"];
const KEYS = keysOf(FIELDS);

type Command = Readonly<{ action: string; tickers?: readonly string[]; x?: Readonly<Record<string, unknown>> }>;

/** A client with its server, and what the client has received. The server keeps every object, whole. */
class Session {
  readonly runtime = new FakeRuntime();
  readonly client = new Client(this.runtime, { url: "ws://test/", resume: ["tickers"] });
  readonly tickers: CompactTickers;
  readonly received: Ticker[] = [];
  readonly problems: string[] = [];
  private readonly random: () => number;
  private encoder = new FakeTickerEncoder();
  private readonly subscribed = new Set<string>();
  private answered = 0;
  private epoch = 1;
  /** Every object, by symbol. The last one is the newest. */
  private readonly objects = new Map<string, WireObject[]>();
  /** The number of the last object of each stream that was sent or told to be missing. */
  private readonly told = new Map<string, number>();

  constructor(random: () => number) {
    this.random = random;
    this.tickers = new CompactTickers(this.client, { ...(random() < 0.5 ? {} : { fields: this.someFields() }) });
    for (const name of SYMBOLS) this.change(name);
    this.client.on("market", ({ events }) => this.received.push(...events.filter((event) => event.channel === "tickers")));
    this.client.on("unreadable", (sentence) => this.problems.push(sentence));
    this.client.on("gap", ({ detectedBy, from, to }) => detectedBy === "client" && this.problems.push(`gap ${from} ${to}`));
    this.client.subscribe({ tickers: SYMBOLS });
    this.client.connect();
    this.runtime.socket.greet();
    this.answer();
  }

  /** One thing happens. */
  step(): void {
    const act = this.pick([this.changeSome, this.changeSome, this.changeSome, this.flush, this.flush, this.flush, this.lose, this.restart, this.reconnect, this.resubscribe, this.select]);
    act();
    this.answer();
  }

  /** Sends the newest objects, with the number of those that each replaces. */
  readonly flush = (): void => {
    const frame = SYMBOLS.flatMap((name) => {
      const object = this.newestOf(name);
      const before = this.told.get(name);
      if (!this.subscribed.has(name) || (before !== undefined && object.sq <= before)) return [];
      const merged = object.sq - (before ?? 0) - 1;
      return [this.send(merged > 0 ? { ...object, cf: merged } : object)];
    });
    if (frame.length > 0) this.runtime.socket.receive(...frame);
  };

  /** The newest object of a symbol as a client without options decodes it, if it were sent with these fields. */
  expected(name: string): Ticker | undefined {
    const { fields } = this.tickers;
    const keys = fields === undefined ? KEYS : keysOf(fields);
    const object = Object.fromEntries(Object.entries(this.newestOf(name)).filter(([key]) => !KEYS.includes(key) || keys.includes(key)));
    const [event] = readFrame(JSON.stringify([object])).events;
    return event?.channel === "tickers" ? event : undefined;
  }

  private readonly changeSome = (): void => {
    for (let times = 1 + this.below(4); times > 0; times -= 1) this.change(this.pick(SYMBOLS));
  };

  /** Some keys have other values, some are gone, some are there again. */
  private change(name: string): void {
    const before = this.objects.get(name)?.at(-1);
    const values = KEYS.map((key) => {
      const value = before?.[key];
      if (before !== undefined && this.random() < 0.7) return [key, value];
      return [key, this.random() < 0.1 ? undefined : this.below(50)];
    });
    const t = new Date(Date.UTC(2026, 10, 20, 14, 30) + this.below(3) * 1_000).toISOString().replace(".000Z", "Z");
    const object = { T: "k", S: name, ...Object.fromEntries(values.filter(([, value]) => value !== undefined)), t, sq: (before?.sq ?? 0) + 1 } as WireObject;
    this.objects.set(name, [...(this.objects.get(name) ?? []), object]);
  }

  /** Objects are lost, which the client is told. */
  private readonly lose = (): void => {
    const name = this.pick(SYMBOLS);
    const { sq } = this.newestOf(name);
    const before = this.told.get(name);
    if (before === undefined || sq <= before) return;
    this.encoder.forget(name);
    this.told.set(name, sq);
    this.runtime.socket.receive({ T: "gap", S: name, ch: "tickers", from: before + 1, to: sq });
    this.change(name);
  };

  /** All numbers begin again while the session is open. */
  private readonly restart = (): void => {
    this.epoch += 1;
    this.runtime.socket.receive({ T: "epoch", epoch: `e${this.epoch}`, was: `e${this.epoch - 1}`, restart: true });
    this.objects.clear();
    this.told.clear();
    for (const name of SYMBOLS) {
      this.encoder.forget(name);
      this.change(name);
    }
  };

  /** The connection is lost; perhaps the server is another one when it is back. */
  private readonly reconnect = (): void => {
    this.runtime.socket.remoteClose(1006);
    this.runtime.advance(2_000);
    this.encoder = new FakeTickerEncoder();
    this.subscribed.clear();
    this.told.clear();
    this.answered = 0;
    if (this.random() < 0.3) {
      this.epoch += 1;
      this.objects.clear();
      for (const name of SYMBOLS) this.change(name);
    }
    this.runtime.socket.greet();
  };

  private readonly resubscribe = (): void => {
    const streams = { tickers: [this.pick(SYMBOLS)] };
    this.client.unsubscribe(streams);
    if (this.random() < 0.5) this.answer();
    this.client.subscribe(streams);
  };

  private readonly select = (): void => {
    this.tickers.setFields(this.random() < 0.3 ? undefined : this.someFields());
    this.answer();
    // What is no longer selected leaves a ticker with its next object.
    for (const name of SYMBOLS) this.change(name);
  };

  /** Carries out the commands that were sent. */
  private answer(): void {
    for (; this.answered < this.runtime.socket.sent.length; this.answered += 1) {
      const { action, tickers = [], x } = this.runtime.socket.sent[this.answered] as Command;
      const added = tickers.filter((name) => action === "subscribe" && !this.subscribed.has(name));
      for (const name of tickers) {
        this.encoder.forget(name);
        if (action === "subscribe") this.subscribed.add(name);
        else this.subscribed.delete(name);
      }
      // What is pending is sent as it was asked for before.
      this.flush();
      if (x !== undefined) this.encoder.set(x);
      const extended = x === undefined ? {} : { x: { id: x["id"], epoch: `e${this.epoch}`, ...(this.random() < 0.5 ? this.encoder.granted : {}), ...(x["delta"] === undefined ? {} : this.encoder.granted) } };
      this.runtime.socket.receive({ T: "subscription", tickers: [...this.subscribed], ...extended });
      const resume = x?.["resume"] as { readonly epoch: string; readonly sq: { readonly tickers: Readonly<Record<string, number>> } } | undefined;
      for (const name of added) this.begin(name, resume?.epoch === `e${this.epoch}` ? resume.sq.tickers[name] : undefined);
    }
  }

  /** A stream begins after a number that the client has, or with a snapshot. */
  private begin(name: string, last: number | undefined): void {
    this.told.delete(name);
    if (last === undefined) this.runtime.socket.receive(this.send({ ...this.newestOf(name), sn: true }));
    else this.told.set(name, last);
    // The object after a snapshot may be whole too.
    if (this.random() < 0.5) this.encoder.forget(name);
  }

  private send(object: WireObject): WireObject {
    this.told.set(object.S, object.sq);
    return this.encoder.encode(object);
  }

  private newestOf(name: string): WireObject {
    const newest = this.objects.get(name)?.at(-1);
    if (newest === undefined) throw new Error(`no object of ${name}`);
    return newest;
  }

  private someFields = (): readonly TickerField[] => FIELDS.filter(() => this.random() < 0.4);
  private below = (limit: number): number => Math.floor(this.random() * limit);
  private pick = <T>(items: readonly T[]): T => items[this.below(items.length)] as T;
}

const SEEDS = 150;
const STEPS = 120;

test.each(Array.from({ length: SEEDS }, (_, at) => at + 1))("applying changes is the same as whole objects, whatever happens in between: seed %d", (seed) => {
  const session = new Session(mulberry32(seed));
  for (let step = 0; step < STEPS; step += 1) {
    session.step();
    session.flush();
    for (const name of SYMBOLS) {
      const newest = session.received.filter((event) => event.symbol === name).at(-1);
      expect({ ...newest, conflated: 0, origin: "live" }, `step ${step}`).toEqual(session.expected(name));
    }
  }
  expect(session.problems).toEqual([]);
});
