import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { FakeRuntime } from "../../../fake/runtime";
import { Client } from ".";

const AAPL = symbol("AAPL");
const TRADE = { T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:29:00Z" };
const ACK = { T: "subscription", trades: ["AAPL"], x: { id: 1, epoch: "k3f9", conflate_ms: 0, heartbeat_ms: 2000 } };

/** A live client that is acknowledged in epoch `k3f9` and has received trade number 5. */
function live() {
  const runtime = new FakeRuntime();
  const client = new Client(runtime, { url: "ws://test/" });
  const received = { seqs: [] as (number | undefined)[], gaps: [] as object[], roundTrips: [] as number[], epochs: [] as string[] };
  client.on("market", ({ events }) => received.seqs.push(...events.map(({ seq }) => seq)));
  client.on("gap", ({ from, to, detectedBy }) => received.gaps.push({ from, to, detectedBy }));
  client.on("roundTrip", (ms) => received.roundTrips.push(ms));
  client.on("acknowledged", ({ epochIs }) => received.epochs.push(epochIs));
  client.subscribe({ trades: [AAPL] });
  client.connect();
  runtime.socket.greet();
  runtime.socket.receive(ACK);
  runtime.socket.receive({ ...TRADE, sq: 5 });
  return { runtime, client, received };
}

test("a reconnect resumes after the last sequence number, in the known epoch", () => {
  const { runtime } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  expect(runtime.socket.sent).toMatchObject([{ trades: ["AAPL"], x: { resume: { epoch: "k3f9", sq: { trades: { AAPL: 5 } } } } }]);
});

test("replayed objects count as recovered, and duplicates are dropped", () => {
  const { runtime, client, received } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive(ACK);
  runtime.socket.receive({ ...TRADE, sq: 8, sn: true });
  runtime.socket.receive({ ...TRADE, sq: 6 }, { ...TRADE, sq: 7 }, { ...TRADE, sq: 8 });
  runtime.socket.receive({ ...TRADE, sq: 8 }, { ...TRADE, sq: 9, t: "2026-11-20T14:31:00Z" });

  expect(received.seqs).toEqual([5, 6, 7, 8, 9]);
  expect(received.epochs).toEqual(["first", "known"]);
  expect(client.counters).toMatchObject({ recovered: 3, duplicates: 1, gaps: 0 });
});

test("a gap reported by the server is emitted once", () => {
  const { runtime, client, received } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive(ACK);
  runtime.socket.receive({ T: "gap", S: "AAPL", ch: "trades", from: 6, to: 19 });
  runtime.socket.receive({ ...TRADE, sq: 20 });

  expect(received.gaps).toEqual([{ from: 6, to: 19, detectedBy: "server" }]);
  expect(client.counters.missed).toBe(14);
});

test("a new epoch resets the sequence check", () => {
  const { runtime, received } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive({ ...ACK, x: { ...ACK.x, epoch: "zzzz" } });
  runtime.socket.receive({ ...TRADE, sq: 2 });

  expect(received.seqs).toEqual([5, 2]);
  expect(received.gaps).toEqual([]);
  expect(received.epochs).toEqual(["first", "new"]);
});

test("the gap by which a restarted server answers a resume is no loss, and a later gap is", () => {
  const { runtime, client, received } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive({ ...ACK, x: { ...ACK.x, epoch: "9q0a7bd2kx1f4" } });
  runtime.socket.receive({ T: "gap", S: "AAPL", ch: "trades", from: 1, to: 178 });
  runtime.socket.receive({ ...TRADE, sq: 179 });
  expect([received.gaps, client.counters.missed]).toEqual([[], 0]);

  runtime.socket.receive({ T: "gap", S: "AAPL", ch: "trades", from: 180, to: 181 });
  runtime.socket.receive({ ...TRADE, sq: 182 });
  expect(received.gaps).toEqual([{ from: 180, to: 181, detectedBy: "server" }]);
});

test("a number that the server has never given begins its stream anew, without a loss", () => {
  const { runtime, client, received } = live();
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive(ACK);
  runtime.socket.receive({ T: "gap", S: "AAPL", ch: "trades", from: 1, to: 0 });
  runtime.socket.receive({ ...TRADE, sq: 1, t: "2026-11-20T14:31:00Z" });

  expect(received.seqs).toEqual([5, 1]);
  expect([received.gaps, client.counters.gaps, client.counters.missed]).toEqual([[], 0, 0]);
});

test("replayed objects are marked, and live ones are not", () => {
  const { runtime, client } = live();
  const origins: string[] = [];
  client.on("market", ({ events }) => origins.push(...events.map(({ origin }) => origin)));
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  runtime.socket.receive(ACK);
  runtime.socket.receive({ ...TRADE, sq: 6 }, { ...TRADE, sq: 7, t: "2026-11-20T14:31:00Z" });

  expect(origins).toEqual(["replay", "live"]);
});

test("a feed notice is passed on and changes nothing", () => {
  const { runtime, client } = live();
  const states: string[] = [];
  client.on("feed", ({ state, source }) => states.push(`${source}: ${state}`));

  runtime.socket.receive({ T: "feed", state: "clock", source: "clock", from: "2026-11-20T14:30:00Z", to: "2026-11-20T15:30:00Z" });

  expect(states).toEqual(["clock: clock"]);
  expect(runtime.sockets).toHaveLength(1);
});

test("the epoch is known after an unsubscribe too, whose acknowledgement does not tell it", () => {
  const { runtime, client } = live();

  client.unsubscribe({ trades: ["KO"] });
  runtime.socket.receive({ T: "subscription", trades: ["AAPL"] });
  expect(client.serverEpoch).toBe("k3f9");
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  expect(runtime.socket.sent).toMatchObject([{ x: { resume: { epoch: "k3f9", sq: { trades: { AAPL: 5 } } } } }]);
});

test("a drain message sets the time of the reconnect", () => {
  const { runtime, client } = live();
  const drains: number[] = [];
  client.on("drain", (ms) => drains.push(ms));

  runtime.socket.receive({ T: "drain", reconnect_ms: 4180 });
  runtime.socket.remoteClose(1012);

  expect(drains).toEqual([4180]);
  runtime.advance(4179);
  expect(runtime.sockets).toHaveLength(1);
  runtime.advance(1);
  expect(runtime.sockets).toHaveLength(2);
});

test("the conflation interval is sent at once and again on the next connection", () => {
  const { runtime, client } = live();

  client.setConflation(500);
  expect(runtime.socket.sent.at(-1)).toMatchObject({ action: "subscribe", x: { conflate_ms: 500 } });
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  expect(runtime.socket.sent).toMatchObject([{ x: { conflate_ms: 500 } }]);
});

test("the acknowledgement of an earlier command does not set the conflation interval back", () => {
  const { runtime, client } = live();
  const intervals: number[] = [];
  client.on("acknowledged", ({ conflateMs }) => intervals.push(conflateMs));

  client.setConflation(500);
  client.setConflation(1_000);
  const [first, second] = runtime.socket.sent.slice(-2) as { x: { id: number; conflate_ms: number } }[];
  for (const command of [first, second]) runtime.socket.receive({ ...ACK, x: { ...ACK.x, ...command?.x } });

  expect(intervals).toEqual([1_000, 1_000]);
});

test("the round trip is measured from a command to its own acknowledgement", () => {
  const { runtime, received } = live();
  expect(received.roundTrips).toEqual([0]);
  runtime.advance(4_000);
  runtime.socket.receive(TRADE);
  runtime.advance(2_000);
  const ping = runtime.socket.sent.at(-1) as { x: { id: number } };

  runtime.advance(30);
  runtime.socket.receive({ ...ACK, x: { ...ACK.x, id: 999 } });
  runtime.advance(12);
  runtime.socket.receive({ ...ACK, x: { ...ACK.x, id: ping.x.id } });

  expect(received.roundTrips).toEqual([0, 42]);
});

test("a connection without heartbeats is dropped", () => {
  const { runtime, client } = live();
  const silent = runtime.socket;

  runtime.advance(5_500);
  expect(client.state.phase).toBe("live");
  runtime.advance(600);

  expect(silent.closedWith).toBeDefined();
  expect(client.state.phase).toBe("waiting");
});

test("an epoch that begins while the session is open is the one to resume in, and its numbers go on", () => {
  const { runtime, received } = live();

  runtime.socket.receive({ T: "epoch", epoch: "9q0a", was: "k3f9" });
  runtime.socket.receive({ ...TRADE, sq: 6 });
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();

  expect(received.gaps).toEqual([]);
  expect(runtime.socket.sent).toMatchObject([{ x: { resume: { epoch: "9q0a", sq: { trades: { AAPL: 6 } } } } }]);
});
