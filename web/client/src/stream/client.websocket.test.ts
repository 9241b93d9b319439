import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { symbol } from "../../../fake/builders";
import { FakeServer } from "../../../fake/server";
import { DEFAULT_BACKOFF, FullClient, runtimeOf, type ClientEvents } from ".";

/** Node's own clock and timers, and the `ws` package's WebSocket. */
const runtime = runtimeOf({ ...globalThis, Date, Math, WebSocket });

const QUICK = { ...DEFAULT_BACKOFF, initialMs: 20, fastMaxMs: 100, maxMs: 100, laterMs: 50, resetAfterMs: 1000 };
const DEADLINE = { timeout: 5000, interval: 5 };

let server: FakeServer;
let client: FullClient;

beforeEach(async () => {
  server = new FakeServer();
  await server.start();
  client = new FullClient(runtime, { url: `ws://${server.origin}/websocket/connect?userId=3`, backoff: QUICK });
});

afterEach(async () => {
  client.close();
  await server.kill();
});

test("over a real socket it subscribes, receives events, loses the server and reconnects", async () => {
  const market: ClientEvents["market"][] = [];
  const gaps: ClientEvents["gap"][] = [];
  client.on("market", (frame) => market.push(frame));
  client.on("gap", (gap) => gaps.push(gap));
  client.subscribe({ trades: [symbol("AAPL"), symbol("KO")], quotes: [symbol("AAPL")] });

  client.connect();
  await vi.waitFor(() => {
    expect(server.commands).toHaveLength(1);
  }, DEADLINE);
  for (let step = 0; step < 200; step += 1) server.step();
  await vi.waitFor(() => {
    expect(new Set(market.flatMap(({ events }) => events.map((event) => `${event.channel} ${event.symbol}`)))).toEqual(
      new Set(["trades AAPL", "trades KO", "quotes AAPL"]),
    );
  }, DEADLINE);

  const { port } = server;
  await server.kill();
  await vi.waitFor(() => {
    expect(client.state).toMatchObject({ phase: "waiting", close: { code: 1006 } });
  }, DEADLINE);
  server = new FakeServer({ port, epoch: "fake2" });
  await server.start();
  await vi.waitFor(() => {
    expect(server.commands).toMatchObject([{ action: "subscribe", trades: ["AAPL", "KO"], quotes: ["AAPL"] }]);
  }, DEADLINE);

  // The restarted server has a new epoch and no trades of the old one, so it reports the gaps itself.
  expect(gaps.every(({ detectedBy }) => detectedBy === "server")).toBe(true);
});

test("trades are resumed without a gap after a lost connection", async () => {
  const numbers: (number | undefined)[] = [];
  client.on("market", ({ events }) => numbers.push(...events.map(({ seq }) => seq)));
  client.subscribe({ trades: [symbol("AAPL")] });
  client.connect();
  await vi.waitFor(() => {
    expect(server.commands).toHaveLength(1);
  }, DEADLINE);
  server.stepOf("AAPL");
  await vi.waitFor(() => {
    expect(numbers).toEqual([1]);
  }, DEADLINE);

  server.dropAll();
  await vi.waitFor(() => {
    expect(client.state.phase).toBe("waiting");
  }, DEADLINE);
  server.stepOf("AAPL");
  server.stepOf("AAPL");

  await vi.waitFor(() => {
    expect(numbers).toEqual([1, 2, 3]);
  }, DEADLINE);
  expect(client.counters).toMatchObject({ gaps: 0, duplicates: 0, recovered: 2, connections: 2 });
});

test("conflation merges tickers and drops no trade", async () => {
  const acknowledged: number[] = [];
  client.on("acknowledged", ({ conflateMs }) => acknowledged.push(conflateMs));
  const events: { channel: string; conflated: number }[] = [];
  client.on("market", (frame) => events.push(...frame.events));
  client.subscribe({ trades: [symbol("AAPL")], tickers: [symbol("AAPL")] });
  client.connect();
  await vi.waitFor(() => {
    expect(acknowledged).toEqual([0]);
  }, DEADLINE);

  client.setConflation(50);
  await vi.waitFor(() => {
    expect(acknowledged).toEqual([0, 50]);
  }, DEADLINE);
  events.length = 0;
  for (let step = 0; step < 10; step += 1) server.stepOf("AAPL");

  await vi.waitFor(() => {
    expect(events.filter(({ channel }) => channel === "trades")).toHaveLength(10);
  }, DEADLINE);
  expect(events.filter(({ channel }) => channel === "tickers").map(({ conflated }) => conflated)).toEqual([9]);
  expect(client.counters).toMatchObject({ gaps: 0, conflated: 9 });
});

test("a real close code and its reason reach the state", async () => {
  client.connect();
  await vi.waitFor(() => {
    expect(client.state.phase).toBe("live");
  }, DEADLINE);

  server.closeAll(1008, "key revoked");

  await vi.waitFor(() => {
    expect(client.state).toMatchObject({ phase: "ended", close: { code: 1008, name: "key_revoked" } });
  }, DEADLINE);
});

test("two clients talk in a room, and one that comes later gets the history", async () => {
  const clientOf = (name: string) => new FullClient(runtime, { url: `ws://${server.origin}/websocket/connect?userId=${name}`, backoff: QUICK });
  const texts = (of: FullClient) => {
    const lines: string[] = [];
    of.topics.on("message", ({ by, data }) => lines.push(`${by ?? ""} ${JSON.stringify(data)}`));
    of.topics.subscribe(["chat:lobby"], { history: "all" });
    of.connect();
    return lines;
  };
  const [anna, ben] = [clientOf("anna"), clientOf("ben")];
  const toAnna = texts(anna);
  await vi.waitFor(() => {
    expect(anna.topics.statusOf("chat:lobby")).toBe("subscribed");
  }, DEADLINE);
  await expect(anna.topics.publish("chat:lobby", "hi")).resolves.toMatchObject({ seq: 1 });
  const toBen = texts(ben);
  await vi.waitFor(() => {
    expect(toBen).toEqual(['anna "hi"']);
  }, DEADLINE);

  server.dropAll();
  server.publish("chat:lobby", "while away", "eve");
  const expected = ['anna "hi"', 'eve "while away"'];
  await vi.waitFor(() => {
    expect([toAnna, toBen]).toEqual([expected, expected]);
  }, DEADLINE);
  await expect(ben.topics.presence("chat:lobby")).resolves.toMatchObject({ sessions: 2, list: ["anna", "ben"] });
  await expect(ben.topics.publish("weather:london", {})).rejects.toMatchObject({ code: 431 });
  anna.close();
  ben.close();
});

test("an alert fires on the trade that crosses, once, and one that is crossed while disconnected is told after the reconnect", async () => {
  const fires: string[] = [];
  client.alerts.on("fired", ({ alert, fire }) => fires.push(`${alert.id} ${fire.price}`));
  const condition = { measure: "price", direction: "rise", level: 900 } as const;
  client.alerts.set({ id: "high", symbol: symbol("AAPL"), condition, once: true });
  client.alerts.set({ id: "higher", symbol: symbol("AAPL"), condition: { ...condition, level: 950 }, once: true });
  client.connect();
  await vi.waitFor(() => {
    expect(client.alerts.all.map(({ status }) => status)).toEqual(["active", "active"]);
  }, DEADLINE);

  server.print("AAPL", 899.99);
  server.print("AAPL", 901);
  server.print("AAPL", 902);
  await vi.waitFor(() => {
    expect(fires).toEqual(["high 901"]);
  }, DEADLINE);
  server.dropAll();
  server.print("AAPL", 960);
  await vi.waitFor(() => {
    expect(fires).toEqual(["high 901", "higher 960"]);
  }, DEADLINE);
  expect(client.alerts.all).toEqual([]);
});
