import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { symbol } from "../../fake/make";
import { FakeServer } from "../../fake/server";
import { millis } from "../model";
import { Client, type ClientEvents, type World } from ".";

/** Node's own clock and timers, and the `ws` package's WebSocket. */
const world: World = {
  WebSocket,
  now: () => millis(Date.now()),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  random: () => 0,
};

const QUICK = { firstMs: 20, maxMs: 100, laterMs: 50, forgiveMs: 1000 };
const DEADLINE = { timeout: 5000, interval: 5 };

let server: FakeServer;
let client: Client;

beforeEach(async () => {
  server = new FakeServer();
  await server.start();
  client = new Client(world, { url: `ws://${server.origin}/websocket/connect?userId=3`, backoff: QUICK });
});

afterEach(async () => {
  client.close();
  await server.kill();
});

test("over a real socket it subscribes, hears the market, loses the server and finds it again", async () => {
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
  server = new FakeServer({ port });
  await server.start();
  await vi.waitFor(() => {
    expect(server.commands).toEqual([{ action: "subscribe", trades: ["AAPL", "KO"], quotes: ["AAPL"] }]);
  }, DEADLINE);

  expect(gaps).toEqual([]);
});

test("a real close code reaches the state", async () => {
  client.connect();
  await vi.waitFor(() => {
    expect(client.state.phase).toBe("live");
  }, DEADLINE);

  server.closeAll(1008);

  await vi.waitFor(() => {
    expect(client.state).toMatchObject({ phase: "ended", close: { code: 1008 } });
  }, DEADLINE);
});
