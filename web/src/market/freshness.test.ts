import { expect, test } from "vitest";
import { START } from "../../fake/builders";
import { millis } from "@tapecast/client";
import { FreshnessTracker, isOutdated, LOST_MS } from "./freshness";

const at = (ms: number) => millis(START + ms);
const connected = (lastReceivedMs: number) => ({ isLive: true, lastReceived: at(lastReceivedMs) });
const disconnected = { isLive: false, lastReceived: at(0) };

function tracker(): FreshnessTracker {
  const made = new FreshnessTracker();
  made.event(at(0));
  return made;
}

test("the feed is quiet if heartbeats arrive and no events do", () => {
  const it = tracker();
  it.heartbeat(4_000, at(4_000));

  expect(it.read(at(5_000), connected(4_000))).toEqual({ kind: "quiet", ageMs: 5_000 });
});

test("prices are stale if nothing arrives at all, and keep the time at which they were current", () => {
  const it = tracker();
  expect(it.read(at(LOST_MS), connected(0)).kind).not.toBe("stale");

  expect(it.read(at(LOST_MS + 1), connected(0))).toEqual({ kind: "stale", since: at(0) });
  expect(it.read(at(30_000), connected(0))).toEqual({ kind: "stale", since: at(0) });
});

test("a silence that may be the beginning of a loss is not called a quiet market", () => {
  const it = tracker();
  it.read(at(1_000), connected(0));

  expect(it.read(at(LOST_MS), connected(0)).kind).toBe("live");
});

test("prices are stale at once when the connection is lost", () => {
  const it = tracker();
  it.disconnected();

  expect(it.read(at(1), disconnected)).toEqual({ kind: "stale", since: at(0) });
});

test("prices stay stale through attempts, greetings and heartbeats until the first new object", () => {
  const it = tracker();
  it.disconnected();
  expect(it.read(at(5_000), connected(5_000))).toEqual({ kind: "stale", since: at(0) });
  it.disconnected();
  it.heartbeat(40, at(7_000));
  expect(it.read(at(7_000), connected(7_000))).toEqual({ kind: "stale", since: at(0) });

  expect(it.event(at(7_100))).toBe(7_100);
  expect(it.read(at(7_100), connected(7_100))).toMatchObject({ kind: "live" });
});

test("on a connection that was only silent a heartbeat proves that the prices are current", () => {
  const it = tracker();
  expect(it.read(at(6_000), connected(0)).kind).toBe("stale");
  it.heartbeat(6_100, at(6_100));

  expect(it.read(at(6_100), connected(6_100))).toEqual({ kind: "quiet", ageMs: 6_100 });
});

test("an object after a sleep of the page ends a staleness that was never displayed", () => {
  const it = tracker();

  expect(it.event(at(1_000))).toBe(0);
  expect(it.event(at(61_000))).toBe(60_000);
});

test("missed objects are shown for a while unless they are recovered", () => {
  const it = tracker();
  it.miss(3, at(0));
  it.miss(4, at(10));

  expect(it.read(at(100), connected(100))).toEqual({ kind: "missed", count: 7 });
  it.recovered(5);
  expect(it.read(at(100), connected(100))).toEqual({ kind: "missed", count: 2 });
  it.recovered(2);
  expect(it.read(at(100), connected(100))).toMatchObject({ kind: "live" });
});

test("the feed is live if other symbols have events", () => {
  const it = tracker();
  it.heartbeat(40, at(6_000));

  expect(it.read(at(6_000), connected(6_000))).toEqual({ kind: "live", ageMs: 40 });
});

test("before the first connection there is no freshness", () => {
  const it = new FreshnessTracker();
  it.disconnected();

  expect(it.read(at(0), disconnected)).toEqual({ kind: "off" });
});

test("the weather is outdated when it is old, and as soon as the feed is lost", () => {
  const live = { kind: "live", ageMs: 0 } as const;

  expect(isOutdated(at(0), at(120_000), live)).toBe(false);
  expect(isOutdated(at(0), at(600_001), live)).toBe(true);
  expect(isOutdated(at(0), at(1_000), { kind: "stale", since: at(500) })).toBe(true);
});
