import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { FakeServer } from "../../../fake/server";
import { connect, historyOf, type ConnectError } from "..";

const DEADLINE = { timeout: 10_000, interval: 5 };

let server: FakeServer;
let origin: string;

beforeEach(async () => {
  server = new FakeServer({ stepMs: 5 });
  await server.start();
  ({ origin } = server);
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await server.kill();
});

/** A client of the server, closed at the end of the test. */
function connected(options: Parameters<typeof connect>[1] = {}) {
  const client = connect(`http://${origin}`, { WebSocket, ...options });
  onTestFinished(() => {
    client.close();
  });
  return client;
}

test("one line connects, and plain strings subscribe", async () => {
  const client = connected();
  const prices = new Map<string, number | undefined>();
  client.on("market", ({ events }) => {
    for (const event of events) if (event.channel === "tickers") prices.set(event.symbol, event.last);
  });
  client.subscribe({ tickers: ["AAPL", "MSFT"] });

  await vi.waitFor(() => {
    expect([...prices.keys()].sort()).toEqual(["AAPL", "MSFT"]);
  }, DEADLINE);
});

test("what is no symbol or no channel is rejected where it is said", () => {
  const client = connected();

  expect(() => {
    client.subscribe({ tickers: ["A B"] });
  }).toThrow(TypeError);
  expect(() => {
    client.subscribe({ ticker: ["AAPL"] } as object);
  }).toThrow(TypeError);
});

test("why no connection opens is told once, and not again for each attempt", async () => {
  await server.kill();
  vi.stubGlobal("fetch", (url: string) => (url.endsWith("/healthz") ? Promise.resolve({ status: 200 }) : Promise.reject(new TypeError("blocked"))));
  const [warnings, errors] = [[] as string[], [] as ConnectError[]];
  vi.stubGlobal("location", { origin: "http://localhost:5173", href: "http://localhost:5173/" });
  const client = connected({ warn: (message) => warnings.push(message), backoff: { initialMs: 5, fastMaxMs: 5, fastTries: 48, maxMs: 5, laterMs: 5, resetAfterMs: 10_000 } });
  client.on("connectError", (error) => errors.push(error));

  await vi.waitFor(() => {
    expect(errors.length).toBeGreaterThanOrEqual(3);
  }, DEADLINE);
  expect(new Set(errors.map(({ reason }) => reason))).toEqual(new Set(["origin"]));
  expect(warnings).toEqual([expect.stringContaining("--allow-origin http://localhost:5173")]);
});

test("a runtime without a WebSocket is told at once", () => {
  vi.stubGlobal("WebSocket", undefined);

  expect(() => connect(`http://${origin}`)).toThrow(/no WebSocket/);
});

test("the history of a server takes plain strings and numbers", async () => {
  const history = historyOf(`ws://${origin}/v2/iex`);

  expect((await history.instruments())?.map(({ symbol }) => symbol)).toContain("AAPL");
  expect(await history.barsBefore("AAPL", "1Min", Date.now(), 10)).toBeInstanceOf(Array);
  await expect(history.trades("A B", 0, 1)).rejects.toThrow(TypeError);
});

test("the history of a server that is gone is undefined", async () => {
  await server.kill();

  expect(await historyOf(`http://${origin}`).instruments()).toBeUndefined();
});
