import { asSymbol, millis } from "@tapecast/client";
import { expect, test } from "vitest";
import { ClockOffset, feedOf, firstTime, rangePath, readClock, readMetrics, readStatus } from ".";

const AAPL = asSymbol("AAPL") ?? (() => { throw new TypeError("no symbol"); })();

test("the status of a single server has one feed", () => {
  const status = readStatus({ version: "0.1.0", ready: false, reason: "it has ended", source: "simulation", epoch: "e1", objects: 9, age_ms: 3, sessions: 2 });

  expect(status).toMatchObject({ version: "0.1.0", sessions: 2, cluster: undefined });
  expect(status?.feeds).toEqual([{ name: undefined, isReady: false, reason: "it has ended", source: "simulation", epoch: "e1", objects: 9, ageMs: 3, upstream: undefined }]);
});

test("of several feeds, that of the connection's epoch is the page's, and the first until it is known", () => {
  const upstream = { up: true, connects: 2, losses: 1, objects: 5, invalid: 0, missed: 4, gap_seconds: 1.5 };
  const status = readStatus({ version: "0.1.0", sessions: 0, feeds: [{ feed: "iex", epoch: "e1", source: "simulation" }, { feed: "sip", epoch: "e2", source: "upstream", upstream }] });
  if (status === undefined) throw new TypeError("no status");

  expect(feedOf(status, "e2")).toMatchObject({ name: "sip", upstream: { isUp: true, losses: 1, missed: 4, gapSeconds: 1.5 } });
  expect(feedOf(status, undefined)).toMatchObject({ name: "iex", upstream: undefined });
});

test("the status of a node tells its role, the hops in their order, and the other nodes", () => {
  const cluster = { node: "a", role: "gateway", connected: true, leads: false, batch: 90, lease: { fence: 7 }, gateways: 2, hops_ms: { feed: 4, source: 1, nats: 3 }, batches_repaired: 5, nodes: [{ node: "b", role: "feed", leads: true, sessions: 3, batch: 88, heard_ms: 20 }] };

  expect(readStatus({ version: "0.1.0", cluster })?.cluster).toEqual({
    node: "a", role: "gateway", isConnected: true, leads: false, batch: 90, fence: 7, gateways: 2, repaired: 5,
    hopsMs: [["source", 1], ["nats", 3], ["feed", 4]],
    nodes: [{ node: "b", role: "feed", leads: true, sessions: 3, batch: 88, heardMs: 20 }],
  });
});

test("what is no status is none, and members of another type are left out", () => {
  for (const body of [undefined, null, "ready", [], 3]) expect(readStatus(body)).toBeUndefined();
  expect(readStatus({ version: 1, sessions: "2", feeds: "no" })).toMatchObject({ version: undefined, sessions: undefined, feeds: [{ epoch: undefined }] });
});

test("the metrics tell the start of the process and the sessions of each worker in order", () => {
  const metrics = ["# HELP process_start_time_seconds Start.", "process_start_time_seconds 1796042314.5", 'tapecast_sessions{worker="10"} 3', 'tapecast_sessions{worker="0"} 1', 'tapecast_sessions_opened_total{worker="0"} 9'].join("\n");

  expect(readMetrics(metrics)).toEqual({ startedAt: 1_796_042_314_500, sessions: [1, 3] });
  expect(readMetrics("<html>")).toEqual({ startedAt: undefined, sessions: [] });
});

test("a market that is open until it opens again never closes", () => {
  const at = (is_open: boolean, next_open: string, next_close: string) => readClock({ timestamp: "2026-11-30T12:00:00.5Z", is_open, next_open, next_close })?.phase;

  expect(at(true, "2026-12-01T05:00:00Z", "2026-12-01T05:00:00Z")).toBe("continuous");
  expect(at(true, "2026-12-01T14:30:00Z", "2026-11-30T21:00:00Z")).toBe("open");
  expect(at(false, "2026-11-30T14:30:00Z", "2026-11-30T21:00:00Z")).toBe("closed");
  expect(readClock({ timestamp: "2026-11-30T12:00:00Z", is_open: "yes" })).toBeUndefined();
});

test("the clock's offset is that of the fastest round trip, until a clock is set", () => {
  const offset = new ClockOffset();
  expect(offset.best).toBeUndefined();
  offset.add(1_060, 1_000, 1_100);
  offset.add(2_012, 2_000, 2_020);
  offset.add(3_040, 3_000, 3_100);
  expect(offset.best).toEqual({ offsetMs: 2, errorMs: 10 });

  offset.add(9_060, 4_000, 4_100);
  expect(offset.best).toEqual({ offsetMs: 5_010, errorMs: 50 });
});

test("the oldest object of a symbol begins its history", () => {
  expect(rangePath("minutes", AAPL)).toBe("/v2/stocks/bars?timeframe=1Min&symbols=AAPL&start=1970-01-01T00:00:00Z&sort=asc&limit=1");
  expect(firstTime({ bars: { AAPL: [{ t: "2026-11-25T05:00:00Z" }] } }, "minutes", AAPL)).toBe(millis(Date.UTC(2026, 10, 25, 5)));
  expect(firstTime({ trades: {} }, "trades", AAPL)).toBeUndefined();
  expect(firstTime(undefined, "days", AAPL)).toBeUndefined();
});
