import { expect, test, vi } from "vitest";
import { START, symbol } from "../../fake/builders";
import { HistoryClient, millis } from "@tapecast/client";
import { SymbolBars } from "../market";
import { BarHistory } from "./bar-history";

/** A history of bars of a minute that ends at this many before now; a request fails while `isBroken`. */
async function followed(oldest: number) {
  const clock = { now: START };
  const server = { isBroken: false, requests: 0 };
  const changes = vi.fn();
  const client = new HistoryClient((path) => {
    server.requests += 1;
    if (server.isBroken) return Promise.resolve(undefined);
    const query = new URLSearchParams(path.split("?")[1]);
    const last = Math.floor((Date.parse(query.get("end") ?? "") - START) / 60_000);
    const count = Math.min(Number(query.get("limit")), last + oldest + 1);
    const bars = Array.from({ length: Math.max(0, count) }, (_, back) => ({ t: new Date(START + (last - back) * 60_000).toISOString(), o: 1, h: 1, l: 1, c: 1, v: 1 }));
    return Promise.resolve({ bars: bars.length === 0 ? {} : { AAPL: bars }, next_page_token: null });
  });
  const history = new BarHistory(client, () => millis(clock.now), changes);
  const bars = new SymbolBars(symbol("AAPL"));
  history.follow(bars, 60);
  await vi.waitFor(() => {
    expect(changes).toHaveBeenCalled();
  });
  return { clock, server, changes, history, series: bars.get(60) };
}

test("older bars are loaded until there is none, which is known then", async () => {
  const { history, series, server } = await followed(1_900);
  expect(series?.all).toHaveLength(600);

  for (let times = 0; times < 2; times += 1) await history.loadOlder();
  expect([series?.all.length, history.isComplete]).toEqual([1_901, false]);

  await history.loadOlder();
  expect([series?.all.length, history.isComplete]).toEqual([1_901, true]);

  const { requests } = server;
  await history.loadOlder();
  expect(server.requests).toBe(requests);
});

test("a request that fails says nothing of the beginning, and is repeated later", async () => {
  const { clock, history, series, server } = await followed(1_900);
  server.isBroken = true;
  await history.loadOlder();
  expect(history.isComplete).toBe(false);

  server.isBroken = false;
  const { requests } = server;
  await history.loadOlder();
  expect(server.requests).toBe(requests);
  clock.now += 5_000;
  await history.loadOlder();
  expect(series?.all).toHaveLength(1_600);
});

test("no more bars are loaded than are kept", async () => {
  const { history, series, server } = await followed(100_000);
  for (let times = 0; times < 30; times += 1) await history.loadOlder();

  expect(series?.all.length).toBe(19_600);
  expect(server.requests).toBe(20);
  expect(history.isComplete).toBe(false);
});
