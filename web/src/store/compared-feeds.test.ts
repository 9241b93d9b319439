import { expect, test, vi } from "vitest";
import { ohlc, START, symbol, trade } from "../../fake/builders";
import { FakeRuntime } from "../../fake/runtime";
import { Client, HistoryClient, millis } from "@tapecast/client";
import { ComparedFeeds, HistoryLoader, MarketStore } from ".";

const [KO, XOM] = [symbol("KO"), symbol("XOM")];
const CHANNELS = ["trades", "bars", "updatedBars", "dailyBars", "tickers", "statuses"];
const streamsOf = (name: string) => Object.fromEntries(CHANNELS.map((channel) => [channel, [name]]));

/** The feeds of a store whose history has one bar of each minute of the range that is asked for, at most two. */
function opened() {
  const runtime = new FakeRuntime();
  const requests: string[] = [];
  const history = new HistoryClient((path) => {
    const query = new URLSearchParams(path.split("?")[1]);
    const [name, end] = [query.get("symbols") ?? "", Date.parse(query.get("end") ?? "")];
    requests.push(name);
    const bars = [1, 2].map((back) => {
      const { open: o, high: h, low: l, close: c, volume: v } = ohlc(0, 10, 11, 9, 10, 100);
      return { o, h, l, c, v, n: 1, vw: c, t: new Date(Math.floor(end / 60_000) * 60_000 - (back - 1) * 60_000).toISOString() };
    });
    return Promise.resolve({ bars: { [name]: bars }, next_page_token: null });
  });
  const client = new Client(runtime, { url: "ws://test/" });
  const store = new MarketStore(client, new HistoryLoader(history, runtime.now, () => undefined), runtime.now);
  client.connect();
  runtime.socket.greet();
  let made = 0;
  const feeds = new ComparedFeeds(() => {
    made += 1;
    return store.chart();
  });
  return { runtime, store, feeds, requests, made: () => made };
}

test("a compared symbol is subscribed to until it is removed, and its bars come from history and from trades", async () => {
  const { runtime, store, feeds } = opened();
  feeds.show([KO, XOM], 60);
  await vi.waitFor(() => {
    expect(feeds.compared.map(({ series }) => series.all.length)).toEqual([2, 2]);
  });

  store.apply([trade(60_000, 12, 5, "XOM")], runtime.now());
  expect(feeds.compared.map(({ symbol, series }) => [symbol, series.all.at(-1)?.close])).toEqual([["KO", 10], ["XOM", 12]]);
  feeds.show([XOM], 60);

  expect(feeds.compared.map(({ symbol }) => symbol)).toEqual(["XOM"]);
  expect(runtime.socket.sent).toMatchObject([
    { action: "subscribe", ...streamsOf("KO") },
    { action: "subscribe", ...streamsOf("XOM") },
    { action: "unsubscribe", ...streamsOf("KO") },
  ]);
});

test("the feed of a removed symbol is used again", () => {
  const { feeds, made } = opened();
  for (const symbols of [[KO], [], [XOM], [], [KO]]) feeds.show(symbols, 60);

  expect(feeds.compared.map(({ symbol }) => symbol)).toEqual(["KO"]);
  expect(made()).toBe(1);
});

test("older bars are loaded as far as the chart's own go back, and no further", async () => {
  const { feeds, requests } = opened();
  feeds.show([KO], 60);
  const oldest = () => feeds.compared[0]?.series.oldest ?? millis(START);
  await vi.waitFor(() => {
    expect(oldest()).toBeLessThan(START);
  });
  const wanted = millis(oldest() - 180_000);

  await vi.waitFor(() => {
    feeds.loadUntil(wanted);
    expect(oldest()).toBeLessThanOrEqual(wanted);
  });
  const count = requests.length;
  feeds.loadUntil(oldest());

  expect(requests).toHaveLength(count);
});
