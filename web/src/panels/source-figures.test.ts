import { asSymbol, epoch, millis, type Counters } from "@tapecast/client";
import { expect, test } from "vitest";
import { NOTHING_TOLD, readClock, readStatus, type SourceInfo } from "../source";
import { stringsOf } from "../strings";
import { sourceFigures, type PageFigures } from "./source-figures";

const NOW = millis(Date.UTC(2026, 10, 30, 12, 0, 20));
const COUNTERS: Counters = { frames: 0, bytes: 0, objects: 0, conflated: 0, missed: 5, recovered: 1, duplicates: 0, gaps: 2, connections: 1 };
const PAGE: PageFigures = { epoch: epoch("e1"), counters: COUNTERS, healed: 3, reading: { p50: 0.4, p99: undefined }, roundTrip: 2 };

/** The figures by `group.row`. */
const figuresOf = (info: Partial<SourceInfo>) =>
  Object.fromEntries(sourceFigures({ ...NOTHING_TOLD, ...info }, PAGE, NOW, stringsOf("en", "UTC")).flatMap(({ id, figures }) => figures.map((figure) => [`${id}.${figure.id}`, figure.value] as const)));

test("before the first answer the page knows itself, and what it waits for", () => {
  const figures = figuresOf({});
  expect(figures).toMatchObject({ "feed.epoch": "e1", "feed.source": "loading", "server.uptime": "loading", "market.phase": "loading", "history.days": "loading" });
  expect(figures).toMatchObject({ "connection.latency": "0.4 ms · –", "connection.gaps": "2", "connection.missing": "2", "connection.healed": "4", "connection.offset": "–" });
  expect(Object.keys(figures).filter((id) => /^(cluster|upstream)/.test(id))).toEqual([]);
});

test("what is not served says so, without hiding the rest", () => {
  const figures = figuresOf({ status: "notServed", metrics: "notServed", clock: "notServed", history: "notServed" });
  expect(figures).toMatchObject({ "feed.epoch": "e1", "feed.source": "not served", "server.workers": "not served", "market.minuteBar": "not served", "history.trades": "not served" });
});

test("a relay tells of its upstream, a node of its cluster", () => {
  const upstream = { up: false, losses: 2, missed: 3, gap_seconds: 90 };
  expect(figuresOf({ status: readStatus({ source: "upstream", epoch: "e1", upstream }) ?? "notServed" })).toMatchObject({ "feed.source": "relay of another server", "upstream.link": "down", "upstream.gapTime": "90 s" });

  const cluster = { node: "a", role: "gateway", connected: true, leads: false, lease: { fence: 7 }, hops_ms: { source: 0.2, nats: 0.1 }, nodes: [{ node: "b", role: "feed", leads: true, sessions: 3, heard_ms: 20 }] };
  expect(figuresOf({ status: readStatus({ source: "cluster", cluster }) ?? "notServed" })).toMatchObject({
    "cluster.role": "gateway",
    "cluster.lease": "held by another node · fence 7",
    "cluster.hops": "source 0.2 ms → NATS 0.1 ms",
    "cluster.node-b": "feed · leader · 3 sessions · heard 20 ms ago",
  });
});

test("the next minute bar is that of the server's clock", () => {
  const clock = readClock({ timestamp: "2026-11-30T12:00:25Z", is_open: true, next_open: "2026-12-01T05:00:00Z", next_close: "2026-12-01T05:00:00Z" });
  const figures = figuresOf({ clock: clock ?? "notServed", offset: { offsetMs: 5_000, errorMs: 1 } });
  expect(figures["market.minuteBar"]).toMatch(/ · in 35 s$/);
  expect(figures["connection.offset"]).toBe("+5.0 s ± 1.0 ms");
  expect(figures).not.toHaveProperty("market.nextOpen");
});

test("a closed market has no next minute bar, but a next open", () => {
  const clock = readClock({ timestamp: "2026-11-30T12:00:20Z", is_open: false, next_open: "2026-11-30T14:30:20Z", next_close: "2026-11-30T21:00:00Z" });
  const figures = figuresOf({ clock: clock ?? "notServed" });
  expect(figures).toMatchObject({ "market.phase": "closed", "market.minuteBar": "–" });
  expect(figures["market.nextOpen"]).toMatch(/ · in 2 h$/);
});

test("a history that has nothing is told apart from one that is not served", () => {
  const symbol = asSymbol("AAPL");
  if (symbol === undefined) throw new TypeError("no symbol");
  const since = { trades: undefined, seconds: undefined, minutes: undefined, days: millis(Date.UTC(2025, 10, 30, 5)) };
  expect(figuresOf({ history: { symbol, since } })).toMatchObject({ "history.trades": "none", "history.days": "since Nov 30, 2025" });
});
