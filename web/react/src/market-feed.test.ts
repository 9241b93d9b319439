import { Client } from "@tapecast/client";
import { expect, test } from "vitest";
import { FakeRuntime } from "../../fake/runtime";
import { MarketFeed } from "./market-feed";
import type { View } from "./view";

const TIME = "2026-11-20T14:30:00Z";
const ticker = (S: string, p: number) => ({ T: "k", S, p, o: 1, h: 1, l: 1, pc: 1, v: 1, bp: 1, bs: 1, ap: 1, as: 1, t: TIME });
const trade = (S: string, i: number, p = 1) => ({ T: "t", S, i, p, s: 1, t: TIME, sq: i });

/** A feed of a connected client, whose frames the test makes. */
function connectedFeed() {
  const runtime = new FakeRuntime();
  const client = new Client(runtime, { url: "ws://test/" });
  let frames: (() => void)[] = [];
  const feed = new MarketFeed(client, (run) => frames.push(run));
  client.connect();
  runtime.socket.greet();
  return {
    feed,
    receive: (...objects: readonly object[]) => {
      runtime.socket.receive(...objects);
    },
    /** Draws a frame; returns how many callbacks were due. */
    frame: () => {
      const due = frames;
      frames = [];
      for (const run of due) run();
      return due.length;
    },
    /** The streams of the commands that were sent, after those that wait for the end of the current task. */
    commands: async () => {
      await Promise.resolve();
      return (runtime.socket.sent as readonly Readonly<Record<string, unknown>>[]).map(({ action, tickers, trades }) => ({ action, ...(tickers ? { tickers } : {}), ...(trades ? { trades } : {}) }));
    },
  };
}

/** Shows a view; counts how often it is told of news. */
function show(view: View<unknown>) {
  const shown = { news: 0, hide: () => undefined as unknown };
  shown.hide = view.subscribe(() => (shown.news += 1));
  return shown;
}

test("views are told of all that happened between two frames at once", () => {
  const { feed, receive, frame } = connectedFeed();
  const [tickers, trades] = [feed.tickers(["AAPL", "MSFT"]), feed.trades(["AAPL"], 10)];
  const [a, b] = [show(tickers), show(trades)];
  const before = tickers.snapshot();

  receive(ticker("AAPL", 1), ticker("MSFT", 2), ticker("KO", 3));
  receive(ticker("AAPL", 4), trade("AAPL", 1));
  expect([a.news, b.news, tickers.snapshot()]).toEqual([0, 0, before]);
  expect(frame()).toBe(1);

  expect([a.news, b.news]).toEqual([1, 1]);
  expect([...tickers.snapshot()].map(([symbol, { last }]) => [symbol, last])).toEqual([["AAPL", 4], ["MSFT", 2]]);
  expect(trades.snapshot().map(({ id }) => id)).toEqual([1]);
});

test("a view without news keeps its value and is not told", () => {
  const { feed, receive, frame } = connectedFeed();
  const [tickers, trades] = [feed.tickers(["AAPL"]), feed.trades(["AAPL"], 10)];
  const [, b] = [show(tickers), show(trades)];
  const before = trades.snapshot();

  receive(ticker("AAPL", 1));
  frame();

  expect([b.news, trades.snapshot()]).toEqual([0, before]);
});

test("components that are mounted together send one command, and what is no symbol is passed over", async () => {
  const { feed, commands } = connectedFeed();

  for (const view of [feed.tickers(["AAPL", "A B"]), feed.tickers(["MSFT", "AAPL"]), feed.trades(["*"], 10)]) show(view);

  expect(await commands()).toEqual([{ action: "subscribe", tickers: ["AAPL", "MSFT"], trades: ["*"] }]);
});

test("a component that is mounted again at once, as in strict mode, sends nothing more and loses nothing", async () => {
  const { feed, receive, frame, commands } = connectedFeed();
  const view = feed.tickers(["AAPL"]);
  show(view).hide();
  show(view);
  receive(ticker("AAPL", 1));
  frame();

  expect(view.snapshot().get("AAPL")?.last).toBe(1);
  expect(await commands()).toEqual([{ action: "subscribe", tickers: ["AAPL"] }]);
});

test("a stream is given up when no component shows it any more", async () => {
  const { feed, frame, commands } = connectedFeed();
  const [one, two] = [show(feed.tickers(["AAPL", "MSFT"])), show(feed.tickers(["AAPL"]))];
  await commands();
  one.hide();
  frame();
  expect((await commands()).slice(1)).toEqual([{ action: "unsubscribe", tickers: ["MSFT"] }]);

  two.hide();
  frame();
  expect((await commands()).slice(2)).toEqual([{ action: "unsubscribe", tickers: ["AAPL"] }]);
});

test("a view that is shown again begins anew", async () => {
  const { feed, receive, frame, commands } = connectedFeed();
  const view = feed.tickers(["AAPL"]);
  const first = show(view);
  await commands();
  receive(ticker("AAPL", 1));
  frame();
  first.hide();
  frame();
  show(view);

  expect(view.snapshot().size).toBe(0);
  expect((await commands()).map(({ action }) => action)).toEqual(["subscribe", "unsubscribe", "subscribe"]);
});

test("a further view begins with what others know of its symbols", () => {
  const { feed, receive, frame } = connectedFeed();
  show(feed.tickers(["*"]));
  show(feed.trades(["AAPL"], 10));
  receive(ticker("AAPL", 1), ticker("KO", 2), trade("AAPL", 1), trade("AAPL", 2));
  frame();
  const [tickers, trades] = [feed.tickers(["AAPL"]), feed.trades(["AAPL", "KO"], 10)];
  show(tickers);
  show(trades);

  expect([...tickers.snapshot().keys()]).toEqual(["AAPL"]);
  expect(trades.snapshot().map(({ id }) => id)).toEqual([2, 1]);
});

test("trades are the newest first, as many as asked for, and follow cancels and corrections", () => {
  const { feed, receive, frame } = connectedFeed();
  const view = feed.trades(["AAPL"], 3);
  show(view);
  receive(...Array.from({ length: 20 }, (_, index) => trade("AAPL", index + 1)));
  receive({ T: "x", S: "AAPL", i: 19, t: TIME }, { T: "c", S: "AAPL", oi: 20, cp: 9, cs: 5, t: TIME });
  frame();

  expect(view.snapshot().map(({ id, price, size }) => [id, price, size])).toEqual([[20, 9, 5], [18, 1, 1], [17, 1, 1]]);
});
