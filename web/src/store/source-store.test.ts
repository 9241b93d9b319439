import { asSymbol, epoch, millis } from "@tapecast/client";
import { expect, test } from "vitest";
import { SourceStore, type SourceConnection } from "./source-store";

const LIVE: SourceConnection = { isLive: true, epoch: epoch("e1"), symbol: asSymbol("AAPL") };

/** A store with a clock, and the paths that it asked for since the last look. */
function started(answer: (path: string) => unknown = () => undefined) {
  const clock = { ms: 1_000_000 };
  let asked: string[] = [];
  const get = (path: string) => {
    asked.push(path.split("?")[0] ?? "");
    return Promise.resolve(answer(path));
  };
  const getText = async (path: string) => {
    const body = await get(path);
    return typeof body === "string" ? body : undefined;
  };
  const store = new SourceStore({ getJson: get, getText, now: () => millis(clock.ms), changed: () => undefined });
  const tick = async (connection: SourceConnection = LIVE) => {
    asked = [];
    store.tick(connection);
    await new Promise((settled) => setTimeout(settled));
    return [...new Set(asked)].sort();
  };
  return { store, clock, tick };
}

const EVERYTHING = ["/metrics", "/status", "/v2/clock", "/v2/stocks/bars", "/v2/stocks/trades"];

test("nothing is asked without a connection, everything with the first, and then what is due", async () => {
  const { clock, tick } = started();
  expect(await tick({ ...LIVE, isLive: false })).toEqual([]);
  expect(await tick()).toEqual(EVERYTHING);
  expect(await tick()).toEqual([]);
  clock.ms += 5_000;
  expect(await tick()).toEqual(["/status"]);
});

test("another life of the server is asked everything, another symbol only for its history", async () => {
  const { tick } = started();
  await tick();
  expect(await tick({ ...LIVE, symbol: asSymbol("KO") })).toEqual(["/v2/stocks/bars", "/v2/stocks/trades"]);
  expect(await tick({ ...LIVE, epoch: epoch("e2") })).toEqual(EVERYTHING);
});

test("what is not served is told apart from what is awaited", async () => {
  const { store, tick } = started((path) => (path === "/status" ? { version: "0.1.0" } : undefined));
  expect(store.info).toMatchObject({ status: "awaited", metrics: "awaited", clock: "awaited", history: "awaited" });
  await tick();
  expect(store.info).toMatchObject({ status: { version: "0.1.0" }, metrics: "notServed", clock: "notServed", history: "notServed" });
});

test("an answer that comes after the panel is closed is dropped", async () => {
  const { store, tick } = started(() => ({ version: "0.1.0" }));
  const asked = tick();
  store.end();
  await asked;
  expect(store.info.status).toBe("awaited");
});
