import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { FakeRuntime } from "../../fake/runtime";
import { FakeServer } from "../../fake/server";
import { runtimeOf } from "@tapecast/client";
import { WholeMarketFeed, type WholeMarketReport } from ".";

const ACKNOWLEDGED = { T: "subscription", tickers: ["*"], statuses: ["*"], x: { id: 1, epoch: "e1", conflate_ms: 2_000, heartbeat_ms: 2_000 } };

let runtime: FakeRuntime;
let reports: WholeMarketReport[];
let feed: WholeMarketFeed;

beforeEach(() => {
  runtime = new FakeRuntime();
  reports = [];
  feed = new WholeMarketFeed(runtime, (report) => reports.push(report));
});

afterEach(() => {
  feed.close();
});

const latest = () => {
  const report = reports.at(-1);
  if (report === undefined) throw new Error("nothing was reported");
  return report;
};

const ticker = (S: string, p: number, sq = 1) => ({
  ...{ T: "k", S, p, s: 1, bp: p, bs: 1, ap: p, as: 1, o: 100, h: p, l: 100, pc: 100, v: 1_000, n: 9, vw: p },
  ...{ t: "2026-11-20T14:30:00Z", sq },
});

function open(): void {
  feed.handle({ ask: "open", url: "ws://fake/", key: undefined });
  runtime.socket.greet();
  runtime.socket.receive(ACKNOWLEDGED);
}

test("it subscribes to every symbol at a pace of its own, and asks for what holds now", () => {
  open();

  expect(runtime.socket.sent).toMatchObject([{ action: "subscribe", tickers: ["*"], statuses: ["*"], x: { conflate_ms: 2_000, snapshot: true } }]);
});

test("the frames of one interval are reported together", () => {
  open();
  runtime.advance(150);
  const before = reports.length;

  runtime.socket.receive(ticker("A", 101));
  runtime.socket.receive(ticker("B", 99));
  runtime.advance(200);

  expect(reports.length).toBe(before + 1);
  expect(latest().summary?.movers).toMatchObject({ gainers: [{ symbol: "A" }], losers: [{ symbol: "B" }], active: [{ symbol: "A" }, { symbol: "B" }] });
  expect(latest().freshness.kind).toBe("live");
});

test("before the first figures there is no summary", () => {
  open();
  runtime.advance(150);

  expect(latest()).toMatchObject({ summary: undefined, state: { phase: "live" } });
});

test("a silent server makes the figures stale, until the first new one", () => {
  open();
  runtime.socket.receive(ticker("A", 101));
  runtime.advance(4_000);
  expect(latest().freshness.kind).toBe("stale");
  expect(latest().summary?.largest).toMatchObject([{ symbol: "A" }]);

  runtime.socket.receive(ticker("A", 102, 2));
  runtime.advance(200);
  expect(latest().freshness.kind).toBe("live");
});

test("a restarted server begins an empty market", () => {
  open();
  runtime.socket.receive(ticker("GONE", 101));
  runtime.socket.remoteClose(1006);
  runtime.advance(10_000);
  runtime.socket.greet();
  runtime.socket.receive({ ...ACKNOWLEDGED, x: { ...ACKNOWLEDGED.x, id: 2, epoch: "e2" } });
  runtime.socket.receive(ticker("NEW", 101));
  runtime.advance(200);

  expect(latest().summary?.largest.map(({ symbol }) => symbol)).toEqual(["NEW"]);
});

test("an error of the server is reported until a command succeeds", () => {
  open();
  runtime.socket.receive({ T: "error", code: 409, msg: "insufficient subscription" });
  runtime.advance(200);
  expect(latest().error).toEqual({ code: 409, message: "insufficient subscription" });

  feed.handle({ ask: "authenticate", key: { id: "K", secret: "S" } });
  runtime.socket.greet();
  runtime.socket.receive({ ...ACKNOWLEDGED, x: { ...ACKNOWLEDGED.x, id: 2 } });
  runtime.advance(200);
  expect(latest().error).toBeUndefined();
});

test("a closed feed reports nothing more and has no timer", () => {
  open();
  runtime.advance(150);
  feed.close();
  runtime.socket.remoteClose(1000);
  const { length } = reports;
  runtime.advance(60_000);

  expect(reports.length).toBe(length);
  expect(runtime.timersPending).toBe(0);
});

test("over a real socket the whole market and its halts arrive", async () => {
  const server = new FakeServer({ stepMs: 0 });
  await server.start();
  server.setTrading("KO", "halted");
  const over = new WholeMarketFeed(runtimeOf({ ...globalThis, Date, Math, WebSocket }), (report) => reports.push(report));
  try {
    over.handle({ ask: "open", url: `ws://${server.origin}/websocket/connect?userId=3`, key: undefined });
    await vi.waitFor(() => {
      expect(latest().summary).toMatchObject({ symbols: 215, movers: { halted: [{ symbol: "KO" }] } });
    }, { timeout: 20_000, interval: 20 });
  } finally {
    over.close();
    await server.kill();
  }
});
