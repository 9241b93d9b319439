import { expect, test } from "vitest";
import { START } from "../../fake/builders";
import { millis } from "../model";
import { FreshnessTracker } from "./freshness";

const at = (ms: number) => millis(START + ms);
const connection = (lastHeardMs: number) => ({ isLive: true, lastReceived: at(lastHeardMs) });

test("the feed is quiet if heartbeats arrive and no events do", () => {
  const tracker = new FreshnessTracker();
  tracker.event(at(0));
  tracker.heartbeat(4_000, at(4_000));

  expect(tracker.read(at(5_000), connection(4_000))).toEqual({ kind: "quiet", ageMs: 5_000 });
});

test("the feed is lost if nothing arrives at all", () => {
  const tracker = new FreshnessTracker();
  tracker.event(at(0));

  expect(tracker.read(at(5_000), connection(0))).toEqual({ kind: "lost", silentMs: 5_000 });
});

test("missed objects are shown for a while unless they are recovered", () => {
  const tracker = new FreshnessTracker();
  tracker.event(at(0));
  tracker.miss(3, at(0));
  tracker.miss(4, at(10));

  expect(tracker.read(at(100), connection(100))).toEqual({ kind: "missed", count: 7 });
  tracker.recovered();
  expect(tracker.read(at(100), connection(100))).toMatchObject({ kind: "live" });
});

test("the feed is live if other symbols have events", () => {
  const tracker = new FreshnessTracker();
  tracker.event(at(0));
  tracker.heartbeat(40, at(6_000));

  expect(tracker.read(at(6_000), connection(6_000))).toEqual({ kind: "live", ageMs: 40 });
});

test("without a connection there is no freshness", () => {
  expect(new FreshnessTracker().read(at(0), { isLive: false, lastReceived: at(0) })).toEqual({ kind: "off" });
});
