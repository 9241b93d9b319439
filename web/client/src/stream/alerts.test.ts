import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { FakeRuntime } from "../../../fake/runtime";
import { epoch, seq, type Alert } from "../model";
import { FullClient, type AlertEvents } from ".";

const AAPL = symbol("AAPL");
const ALERT: Alert = { id: "a1", symbol: AAPL, condition: { measure: "price", direction: "rise", level: 190 }, once: true };
const REPEATED: Alert = { id: "b2", symbol: AAPL, condition: { measure: "change", direction: "fall", level: -5 }, once: false };
const fire = (id: string, sq: number) => ({ T: "a", S: "AAPL", id, when: "p>=190", p: 190.02, sq, t: "2026-11-20T14:30:00Z" });
const entry = (id: string, sq: number, more: object = {}) => ({ S: "AAPL", id, when: "p>=190", once: true, sq, ...more });

interface Command {
  readonly action: string;
  readonly id?: string;
  readonly x: { readonly id: number; readonly since?: unknown };
}

/** A connected client with these alerts, and what it is told. */
function connected(...alerts: readonly Alert[]) {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  const fires: AlertEvents["fired"][] = [];
  client.alerts.on("fired", (fired) => fires.push(fired));
  for (const alert of alerts) client.alerts.set(alert);
  client.connect();
  const greet = (epoch: string) => {
    runtime.socket.greet();
    runtime.socket.receive({ T: "subscription", trades: ["AAPL"], x: { id: (runtime.socket.sent[0] as Command).x.id, epoch } });
  };
  greet("k3");
  const reconnect = (epoch: string) => {
    runtime.socket.remoteClose(1006);
    runtime.advance(250);
    greet(epoch);
  };
  const commands = () => runtime.socket.sent.slice(1) as Command[];
  const answer = (list: readonly object[], at = -1) => {
    runtime.socket.receive({ T: "alerts", list, epoch: "k3", x: { id: commands().at(at)?.x.id } });
  };
  const statuses = () => client.alerts.all.map(({ id, status }) => `${id} ${status}`);
  return { runtime, client, fires, reconnect, commands, answer, statuses };
}

test("alerts are set once the connection is acknowledged, and active when the server lists them", () => {
  const { client, commands, answer, statuses } = connected(ALERT);
  expect(commands()).toEqual([{ action: "alert", S: "AAPL", id: "a1", when: "p>=190", once: true, x: { id: 2 } }]);
  expect(statuses()).toEqual(["a1 pending"]);

  answer([entry("a1", 7, { now: true })]);
  expect(client.alerts.all).toEqual([{ ...ALERT, status: "active", error: undefined, isBeyond: true, seen: { epoch: "k3", seq: 7 } }]);
  client.alerts.set(REPEATED);
  expect(commands()[1]).toMatchObject({ action: "alert", id: "b2", when: "chg<=-5%", once: false });
  expect(client.alerts.isSupported).toBe("yes");
});

test("an alert that fires once is gone, another one stays", () => {
  const { runtime, fires, answer, statuses } = connected(ALERT, REPEATED);
  answer([entry("a1", 7)], -2);
  answer([entry("a1", 7), entry("b2", 7)]);
  runtime.socket.receive(fire("a1", 9), fire("b2", 9));
  runtime.socket.receive(fire("b2", 12), fire("unknown", 13));

  expect(fires.map(({ alert, fire }) => `${alert.id} ${fire.seq}`)).toEqual(["a1 9", "b2 9", "b2 12"]);
  expect(statuses()).toEqual(["b2 active"]);
});

test("a removed alert is removed from the server too", () => {
  const { client, commands, answer, statuses } = connected(ALERT, REPEATED);
  answer([entry("a1", 7)], -2);
  answer([entry("a1", 7), entry("b2", 7)]);
  client.alerts.remove(["a1", "unknown"]);
  expect(commands().at(-1)).toEqual({ action: "unalert", ids: ["a1"], x: { id: 4 } });

  answer([entry("b2", 7)]);
  expect(statuses()).toEqual(["b2 active"]);
});

test("after a lost connection alerts are set again with what was seen", () => {
  const { runtime, reconnect, commands, answer, statuses } = connected(ALERT, REPEATED);
  answer([entry("a1", 7)], -2);
  answer([entry("a1", 7), entry("b2", 7)]);
  runtime.socket.receive(fire("b2", 20));
  reconnect("k3");
  expect(statuses()).toEqual(["a1 pending", "b2 pending"]);
  expect(commands().map(({ id, x }) => [id, x.since])).toEqual([["a1", { epoch: "k3", sq: 7 }], ["b2", { epoch: "k3", sq: 20 }]]);
});

test("trades that were received say what was seen, with a margin for an alert that did not arrive", () => {
  const { runtime, client, reconnect, commands, answer } = connected(ALERT);
  client.subscribe({ trades: [AAPL] });
  answer([entry("a1", 7)], -2);
  runtime.socket.receive({ T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:30:00Z", sq: 5_000 });

  reconnect("k3");
  expect(commands()[0]?.x.since).toEqual({ epoch: "k3", sq: 4_900 });
});

test("what was seen in another epoch is not told, and what an earlier client saw is", () => {
  const { client, reconnect, commands, answer } = connected(ALERT);
  answer([entry("a1", 7)]);
  reconnect("zz");
  expect(commands()[0]?.x.since).toBeUndefined();

  client.alerts.set(REPEATED, { epoch: epoch("zz"), seq: seq(4) });
  expect(commands()[1]?.x.since).toEqual({ epoch: "zz", sq: 4 });
});

test("a refused alert says why, and is tried again on the next connection", () => {
  const { runtime, client, reconnect, statuses } = connected(ALERT);
  const errors: unknown[] = [];
  client.on("serverError", (error) => errors.push(error));
  runtime.socket.receive({ T: "error", code: 405, msg: "symbol limit exceeded", why: "at most 100", x: { id: 2 } });

  expect(client.alerts.all).toMatchObject([{ status: "refused", error: { code: 405, message: "symbol limit exceeded: at most 100" } }]);
  expect(errors).toEqual([]);
  reconnect("k3");
  expect(statuses()).toEqual(["a1 pending"]);
});

test("a server that does not know the command has no alerts", () => {
  const { runtime, client, statuses } = connected(ALERT, REPEATED);
  const errors: unknown[] = [];
  client.on("serverError", (error) => errors.push(error));
  const unknown = { T: "error", code: 400, msg: "invalid syntax", why: "unknown action `alert`" };
  runtime.socket.receive(unknown);
  runtime.socket.receive(unknown);
  expect([client.alerts.isSupported, statuses(), errors]).toEqual(["no", ["a1 refused", "b2 refused"], []]);

  runtime.socket.receive(unknown);
  expect(errors).toHaveLength(1);
});

test("the answer to an earlier command does not confirm an alert that was replaced meanwhile", () => {
  const { client, answer, statuses } = connected(ALERT);
  client.alerts.set({ ...ALERT, condition: { ...ALERT.condition, level: 200 } });
  answer([entry("a1", 7)], -2);
  expect(statuses()).toEqual(["a1 pending"]);

  answer([entry("a1", 8)]);
  expect(statuses()).toEqual(["a1 active"]);
});

test("how far alerts were evaluated is asked for, unless the symbol's trades tell", () => {
  const { runtime, client, commands, answer, reconnect } = connected(ALERT);
  answer([entry("a1", 7)]);
  const beat = () => {
    for (let times = 0; times < 5; times += 1) {
      runtime.advance(2_000);
      runtime.socket.receive({ T: "h", epoch: "k3", age_ms: 1, t: "2026-11-20T14:30:00Z" });
    }
  };
  beat();
  const asked = () => commands().filter(({ action }) => action === "unalert");
  expect(asked()).toMatchObject([{ ids: [] }]);
  runtime.socket.receive({ T: "alerts", list: [entry("a1", 900)], epoch: "k3", x: { id: asked()[0]?.x.id } });
  client.subscribe({ trades: [AAPL] });
  runtime.socket.receive({ T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:30:00Z", sq: 901 });
  beat();
  expect(asked()).toHaveLength(1);

  reconnect("k3");
  expect(commands()[0]?.x.since).toEqual({ epoch: "k3", sq: 900 });
});

test("a gap of trades for which alerts were not evaluated is told as that, and is no loss of a stream", () => {
  const { runtime, client, answer, reconnect } = connected(ALERT);
  const [gaps, missed] = [[] as unknown[], [] as unknown[]];
  client.on("gap", (gap) => gaps.push(gap));
  client.alerts.on("missed", (one) => missed.push(one));
  const gap = (from: number, to: number, more: object = {}) => ({ T: "gap", S: "AAPL", ch: "trades", from, to, ...more });
  const alerts = ["a1"];
  answer([entry("a1", 7)]);
  reconnect("k3");
  answer([entry("a1", 7)]);
  runtime.socket.receive(gap(8, 500, { alerts }));
  runtime.socket.receive(gap(1, 0, { alerts }));
  expect([missed, gaps]).toEqual([[{ symbol: "AAPL", alerts, from: 8, to: 500 }], []]);

  // The same numbers of a stream that is subscribed to: what is lost of it is told by a gap of its own.
  client.subscribe({ trades: [AAPL] });
  runtime.socket.receive({ T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:31:00Z", sq: 600 });
  runtime.socket.receive(gap(601, 610, { alerts }));
  expect([missed.length, gaps.length, client.counters.missed]).toEqual([2, 0, 0]);
  runtime.socket.receive(gap(601, 610));
  expect([missed.length, gaps.length, client.counters.missed]).toEqual([2, 1, 10]);
});
