import { expect, test } from "vitest";
import { START } from "../../fake/builders";
import { millis } from "../model";
import { Feed } from "./feed";

const at = (ms: number) => millis(START + ms);
const connected = (lastHeardMs: number) => ({ isLive: true, lastReceived: at(lastHeardMs) });

test("the feed is quiet if heartbeats arrive and no events do", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.beat(4_000, at(4_000));

  expect(feed.read(at(5_000), connected(4_000))).toEqual({ is: "quiet", ageMs: 5_000 });
});

test("the feed is lost if nothing arrives at all", () => {
  const feed = new Feed();
  feed.event(at(0));

  expect(feed.read(at(5_000), connected(0))).toEqual({ is: "lost", silentMs: 5_000 });
});

test("missed objects are shown for a while unless they are recovered", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.miss(3, at(0));
  feed.miss(4, at(10));

  expect(feed.read(at(100), connected(100))).toEqual({ is: "missed", count: 7 });
  feed.healed();
  expect(feed.read(at(100), connected(100))).toMatchObject({ is: "live" });
});

test("the feed is live if other symbols have events", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.beat(40, at(6_000));

  expect(feed.read(at(6_000), connected(6_000))).toEqual({ is: "live", ageMs: 40 });
});

test("without a connection there is no freshness", () => {
  expect(new Feed().read(at(0), { isLive: false, lastReceived: at(0) })).toEqual({ is: "off" });
});
