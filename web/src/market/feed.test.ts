import { expect, test } from "vitest";
import { START } from "../../fake/make";
import { millis } from "../model";
import { Feed } from "./feed";

const at = (ms: number) => millis(START + ms);
const connected = (lastHeardMs: number) => ({ isLive: true, lastHeard: at(lastHeardMs) });

test("a market is quiet when the server lives and says that nothing happens", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.beat(4_000, at(4_000));

  expect(feed.read(at(5_000), connected(4_000))).toEqual({ is: "quiet", ageMs: 5_000 });
});

test("a feed is lost when the server says nothing at all", () => {
  const feed = new Feed();
  feed.event(at(0));

  expect(feed.read(at(5_000), connected(0))).toEqual({ is: "lost", silentMs: 5_000 });
});

test("a loss stays in sight for a while, unless it is healed", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.miss(3, at(0));
  feed.miss(4, at(10));

  expect(feed.read(at(100), connected(100))).toEqual({ is: "missed", count: 7 });
  feed.healed();
  expect(feed.read(at(100), connected(100))).toMatchObject({ is: "live" });
});

test("a market that moves elsewhere is not quiet, whatever our own symbols do", () => {
  const feed = new Feed();
  feed.event(at(0));
  feed.beat(40, at(6_000));

  expect(feed.read(at(6_000), connected(6_000))).toEqual({ is: "live", ageMs: 40 });
});

test("without a connection there is nothing to be fresh", () => {
  expect(new Feed().read(at(0), { isLive: false, lastHeard: at(0) })).toEqual({ is: "off" });
});
