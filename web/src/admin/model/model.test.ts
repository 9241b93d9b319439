import { expect, test } from "vitest";
import { Answer, clientName, FIRST_QUERY, heldOrder, isFirst, keyRequest, nodeLateness, Rates, readKeys, readNewKey, readOverview, readRefusals, readSessionDetail, readSessions, sessionsPath, slowCount, slownessOf, sortedBy, stallCause } from ".";

const LEVEL = { isClosing: false, stalledMs: 0, backlogBytes: 0, gaps: 0, missed: 0, conflated: 0 };

test("a session whose socket takes nothing is stalled, and what waits for it is told", () => {
  expect(slownessOf({ ...LEVEL, stalledMs: 12_400, backlogBytes: 3_412_000, gaps: 3, missed: 1_240, conflated: 9 })).toEqual({
    pace: "stalled",
    symptoms: [{ kind: "stalled", forMs: 12_400 }, { kind: "backlog", bytes: 3_412_000 }, { kind: "gaps", gaps: 3, missed: 1_240 }, { kind: "conflated", objects: 9 }],
  });
});

test("a session for which much waits is behind, though its socket takes", () => {
  expect(slownessOf({ ...LEVEL, backlogBytes: 65_536 })).toEqual({ pace: "behind", symptoms: [{ kind: "backlog", bytes: 65_536 }] });
  expect(slownessOf({ ...LEVEL, backlogBytes: 65_535 }).pace).toBe("level");
});

test("a session that had gaps and takes all now is not slow", () => {
  const lossy = { ...LEVEL, gaps: 1, missed: 4, backlogBytes: 100 };

  expect(slownessOf(lossy)).toEqual({ pace: "lossy", symptoms: [{ kind: "gaps", gaps: 1, missed: 4 }] });
  expect(slowCount([lossy, { ...LEVEL, stalledMs: 1_000 }, { ...LEVEL, backlogBytes: 1e6 }, LEVEL])).toBe(2);
});

test("conflation that a client asked for, and a socket that is full for a moment, are no slowness", () => {
  expect(slownessOf({ ...LEVEL, conflated: 1e6, stalledMs: 999 })).toEqual({ pace: "level", symptoms: [] });
});

test("a stalled client from which nothing comes may be gone, and one that sends does not read", () => {
  const causes = [{ stalledMs: 5_000, idleMs: 20_000 }, { stalledMs: 5_000, idleMs: 900 }, { stalledMs: 0, idleMs: 90_000 }].map((figures) => stallCause({ ...LEVEL, ...figures }));

  expect(causes).toEqual(["gone", "notReading", undefined]);
});

test("a session that is being closed is that before all else", () => {
  expect(slownessOf({ ...LEVEL, isClosing: true, stalledMs: 5_000 }).symptoms.map(({ kind }) => kind)).toEqual(["closing", "stalled"]);
});

test("the path of a query has what is asked for, escaped", () => {
  expect(sessionsPath(FIRST_QUERY)).toBe("sessions?sort=backlog&order=desc&limit=100");
  expect(sessionsPath({ ...FIRST_QUERY, address: " [::1]:80 ", key: "a&b", feed: "iex", isMutedOnly: true })).toBe("sessions?sort=backlog&order=desc&limit=100&address=%5B%3A%3A1%5D%3A80&key=a%26b&feed=iex&muted=true");
});

test("a column's head sorts by the greatest first, and again by the smallest", () => {
  const once = sortedBy(FIRST_QUERY, "age");
  const twice = sortedBy(once, "age");

  expect([once, twice, sortedBy(twice, "age")].map(({ sort, order }) => `${sort} ${order}`)).toEqual(["age desc", "age asc", "age desc"]);
  expect([FIRST_QUERY, { ...FIRST_QUERY, limit: 1_000 }, once, { ...FIRST_QUERY, key: "a" }].map(isFirst)).toEqual([true, true, false, false]);
});

test("rows that are pointed at keep their places; those that are gone leave, and new ones come last", () => {
  expect(heldOrder(["a", "b", "c"], ["c", "d", "a"])).toEqual(["a", "c", "d"]);
});

test("a rate is that of two answers, and none after a counter began anew", () => {
  const rates = new Rates();
  rates.add(1_000, new Map([["a", 10], ["b", 500]]));
  expect(rates.of("a")).toBeUndefined();
  rates.add(3_000, new Map([["a", 30], ["b", 4], ["c", 1]]));

  expect(["a", "b", "c", "d"].map((name) => rates.of(name))).toEqual([10, undefined, undefined, undefined]);
});

test("a node is late by the batches that it has not, less those of the time since it was heard", () => {
  expect(nodeLateness({ batch: 900, heardMs: 800 }, 1_000, 100)).toBe(200);
  expect(nodeLateness({ batch: 960, heardMs: 412 }, 1_000, 100)).toBe(0);
  expect(nodeLateness({ batch: 1_001, heardMs: 0 }, 1_000, 100)).toBe(0);
  expect(nodeLateness({ batch: 900, heardMs: 0 }, 1_000, 0)).toBeUndefined();
  expect(nodeLateness({ batch: undefined, heardMs: 0 }, 1_000, 100)).toBeUndefined();
});

test("an answer is stale before the first one, after five seconds, and once the server refuses", () => {
  const answer = new Answer<number>();
  expect(answer.isStale(0)).toBe(true);
  answer.take({ value: 1 }, 1_000);
  expect([answer.isStale(6_000), answer.isStale(6_001)]).toEqual([false, true]);
  answer.take({ failure: { status: undefined, message: "" } }, 3_000);
  expect([answer.isStale(6_000), answer.isStale(6_001), answer.value]).toEqual([false, true, 1]);
  answer.take({ failure: { status: 500, message: "" } }, 3_000);
  expect([answer.isStale(3_000), answer.value]).toEqual([true, 1]);
  answer.take({ value: 2 }, 7_000);
  expect([answer.isStale(7_000), answer.failure]).toEqual([false, undefined]);
  answer.forget();
  expect(answer.value).toBeUndefined();
});

test("the request of a new key leaves out what is empty", () => {
  const empty = { id: " ", feeds: "", symbols: " , ", maxSessions: "", maxSymbols: "", mayControl: false };

  expect(keyRequest(empty)).toEqual({});
  expect(keyRequest({ id: "desk", feeds: "IEX, sip", symbols: "aapl msft,AAPL", maxSessions: "5", maxSymbols: "30", mayControl: true })).toEqual({
    ...{ id: "desk", feeds: ["iex", "sip"], symbols: ["AAPL", "MSFT"], max_sessions: 5, max_symbols: 30, control: true },
  });
});

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "Chrome 131"],
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge 130"],
  ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "Safari 18"],
  ["Mozilla/5.0 (X11; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox 133"],
  ["Python/3.12 websockets/13.1", "Python 3.12"],
  ["", ""],
])("the client %j is called %j", (userAgent, name) => {
  expect(clientName(userAgent)).toBe(name);
});

test("an overview has what the server tells, and nothing else", () => {
  const overview = readOverview({ version: "1", ready: true, draining: true, uptime_seconds: 5, sessions: { open: 2, limit: 9 }, descriptors: { open: 7 }, feeds: [{ feed: "iex", ready: true, age_ms: 3 }] });

  expect(overview).toMatchObject({ isReady: true, isDraining: true, uptimeMs: 5_000, sessions: { open: 2, limit: 9 }, descriptors: { open: 7, limit: undefined }, cluster: undefined, memoryBytes: undefined });
  expect(overview?.feeds.map(({ name }) => name)).toEqual(["iex"]);
  for (const body of [undefined, [], {}, { version: "1" }]) expect(readOverview(body)).toBeUndefined();
});

test("a list of sessions leaves out what is none", () => {
  const list = readSessions({ sessions: [{ id: "0-1", age_seconds: 2, backlog_bytes: 9, muted: true }, { address: "a" }, 3], matching: 5, open: 8 });

  expect(list).toMatchObject({ matching: 5, open: 8, sessions: [{ id: "0-1", ageMs: 2_000, backlogBytes: 9, isMuted: true, key: undefined }] });
  expect(readSessions({ sessions: {} })).toBeUndefined();
});

test("a session's channels have their counts, whether or not all symbols are listed", () => {
  const detail = readSessionDetail({ id: "0-1", subscriptions: { trades: ["A"], bars: [] }, subscribed: { trades: 120, bars: 0, lulds: 1 }, topics: ["chat:lobby"], alerts: 2, options: { conflate_ms: 250, nested: {} } });

  expect(detail).toMatchObject({ topics: ["chat:lobby"], alerts: 2, options: [["conflate_ms", "250"]] });
  expect(detail?.subscriptions).toEqual([{ channel: "trades", count: 120, symbols: ["A"] }, { channel: "lulds", count: 1, symbols: [] }]);
});

test("keys, a new key and refusals are read", () => {
  expect(readKeys({ keys: [{ id: "desk", feeds: ["iex"], control: true, sessions: 3 }, {}] })).toEqual([{ id: "desk", feeds: ["iex"], symbols: undefined, maxSessions: undefined, maxSymbols: undefined, mayControl: true, sessions: 3 }]);
  expect(readKeys({})).toBeUndefined();
  expect(readNewKey({ key: { id: "desk" }, secret: "s" })).toEqual({ id: "desk", secret: "s" });
  expect(readNewKey({ key: { id: "desk" } })).toBeUndefined();
  expect(readRefusals({ refusals: [{ time: "2026-11-30T12:00:00Z", kind: "auth", reason: "no", address: "a" }, { time: "x", reason: "no" }] })).toEqual([{ time: Date.parse("2026-11-30T12:00:00Z"), kind: "auth", reason: "no", address: "a", key: undefined, count: 1 }]);
});
