import { expect, test } from "vitest";
import { symbol } from "../../fake/make";
import { FakeWorld } from "../../fake/world";
import { Client } from ".";

const AAPL = symbol("AAPL");
const TRADE = { T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:29:00Z" };
const ACK = { T: "subscription", trades: ["AAPL"], x: { id: 1, epoch: "k3f9", conflate_ms: 0, heartbeat_ms: 2000 } };

/** A client that is live, acknowledged in epoch `k3f9`, and has trade number 5. */
function live() {
  const world = new FakeWorld();
  const client = new Client(world, { url: "ws://test/" });
  const heard = { seqs: [] as (number | undefined)[], gaps: [] as object[], trips: [] as number[], is: [] as string[] };
  client.on("market", ({ events }) => heard.seqs.push(...events.map(({ seq }) => seq)));
  client.on("gap", ({ from, to, known }) => heard.gaps.push({ from, to, known }));
  client.on("roundTrip", (ms) => heard.trips.push(ms));
  client.on("granted", ({ is }) => heard.is.push(is));
  client.subscribe({ trades: [AAPL] });
  client.connect();
  world.socket.greet();
  world.socket.receive(ACK);
  world.socket.receive({ ...TRADE, sq: 5 });
  return { world, client, heard };
}

test("after a reconnect it asks for what came after its last number, in that epoch", () => {
  const { world } = live();
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();

  expect(world.socket.sent).toMatchObject([{ trades: ["AAPL"], x: { resume: { epoch: "k3f9", sq: { trades: { AAPL: 5 } } } } }]);
});

test("what is replayed counts as healed, and nothing is told twice", () => {
  const { world, client, heard } = live();
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();

  world.socket.receive(ACK);
  world.socket.receive({ ...TRADE, sq: 8, sn: true });
  world.socket.receive({ ...TRADE, sq: 6 }, { ...TRADE, sq: 7 }, { ...TRADE, sq: 8 });
  world.socket.receive({ ...TRADE, sq: 8 }, { ...TRADE, sq: 9, t: "2026-11-20T14:31:00Z" });

  expect(heard.seqs).toEqual([5, 6, 7, 8, 9]);
  expect(heard.is).toEqual(["another", "the same"]);
  expect(client.counts).toMatchObject({ healed: 3, repeated: 1, gaps: 0 });
});

test("what the server no longer holds is a gap that it tells, once", () => {
  const { world, client, heard } = live();
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();

  world.socket.receive(ACK);
  world.socket.receive({ T: "gap", S: "AAPL", ch: "trades", from: 6, to: 19 });
  world.socket.receive({ ...TRADE, sq: 20 });

  expect(heard.gaps).toEqual([{ from: 6, to: 19, known: "told" }]);
  expect(client.counts.missed).toBe(14);
});

test("another life of the server is not held to the numbers of the one before", () => {
  const { world, heard } = live();
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();

  world.socket.receive({ ...ACK, x: { ...ACK.x, epoch: "zzzz" } });
  world.socket.receive({ ...TRADE, sq: 2 });

  expect(heard.seqs).toEqual([5, 2]);
  expect(heard.gaps).toEqual([]);
  expect(heard.is).toEqual(["another", "another"]);
});

test("a server that names the time to come back is taken at its word", () => {
  const { world, client } = live();
  const drains: number[] = [];
  client.on("drain", (ms) => drains.push(ms));

  world.socket.receive({ T: "drain", reconnect_ms: 4180 });
  world.socket.end(1012);

  expect(drains).toEqual([4180]);
  world.pass(4179);
  expect(world.sockets).toHaveLength(1);
  world.pass(1);
  expect(world.sockets).toHaveLength(2);
});

test("the pace is asked for at once, and again on the next connection", () => {
  const { world, client } = live();

  client.pace(500);
  expect(world.socket.sent.at(-1)).toMatchObject({ action: "subscribe", x: { conflate_ms: 500 } });
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();

  expect(world.socket.sent).toMatchObject([{ x: { conflate_ms: 500 } }]);
});

test("the round trip is from a question to its own answer", () => {
  const { world, heard } = live();
  expect(heard.trips).toEqual([0]);
  world.pass(4_000);
  world.socket.receive(TRADE);
  world.pass(2_000);
  const asked = world.socket.sent.at(-1) as { x: { id: number } };

  world.pass(30);
  world.socket.receive({ ...ACK, x: { ...ACK.x, id: 999 } });
  world.pass(12);
  world.socket.receive({ ...ACK, x: { ...ACK.x, id: asked.x.id } });

  expect(heard.trips).toEqual([0, 42]);
});

test("a server that promised signs of life and gives none is given up", () => {
  const { world, client } = live();
  const silent = world.socket;

  world.pass(5_500);
  expect(client.state.phase).toBe("live");
  world.pass(600);

  expect(silent.closedWith).toBeDefined();
  expect(client.state.phase).toBe("waiting");
});
