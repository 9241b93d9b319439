import { expect, test } from "vitest";
import { millis } from "@tapecast/client";
import { isFiltering, kindsOf, matches, NO_FILTER, type Filter } from "./filter";
import type { RawFrame } from "./frame";
import { CAPACITY, FrameLog, MAX_BYTES } from "./log";
import { Timeline } from "./timeline";

const frame = (direction: RawFrame["direction"], data: unknown): RawFrame => ({ target: "live", direction, at: millis(0), data: typeof data === "string" ? data : JSON.stringify(data) });

test("the log keeps the newest 500 messages, and less if they are large", () => {
  const log = new FrameLog();
  for (let at = 0; at < CAPACITY + 20; at += 1) log.add(frame("in", [{ T: "t", sq: at }]));
  expect([log.entries.length, log.entries[0]?.number, log.entries.at(-1)?.number, log.total]).toEqual([500, 21, 520, 520]);

  for (let at = 0; at < 20; at += 1) log.add(frame("in", "x".repeat(MAX_BYTES / 10)));
  expect(log.entries.length).toBe(10);
  log.add(frame("in", "x".repeat(2 * MAX_BYTES)));
  expect(log.entries.length).toBe(1);
  log.clear();
  expect([log.entries.length, log.total]).toEqual([0, 541]);
});

test("a message's objects, kinds and symbols are found, and what is not JSON is shown as it is", () => {
  const log = new FrameLog();
  const facts = (data: unknown) => log.add(frame("in", data)).facts;
  expect(facts([{ T: "k", S: "AAPL" }, { T: "k", S: "KO" }, { T: "t", S: "KO", c: ["@"] }])).toMatchObject({ objects: [{ symbols: ["AAPL"] }, {}, { kind: "t", symbols: ["KO"] }], kinds: new Map([["k", 2], ["t", 1]]) });
  expect(facts({ action: "subscribe", trades: ["AAPL"], quotes: ["KO", "AAPL"], x: { id: 1 } }).objects).toEqual([{ kind: "subscribe", symbols: ["AAPL", "KO"] }]);
  expect(facts([{ T: "alerts", list: [{ S: "AAPL", id: "a1" }] }]).objects).toEqual([{ kind: "alerts", symbols: ["AAPL"] }]);
  expect(facts('{"cut":')).toMatchObject({ objects: [{ kind: "", symbols: [] }], preview: '{"cut":' });
  expect(facts([]).objects).toEqual([]);
});

test("filters compare the kind and the symbol of one object", () => {
  const log = new FrameLog();
  log.add(frame("out", { action: "subscribe", trades: ["KO"] }));
  log.add(frame("in", [{ T: "k", S: "AAPL" }, { T: "t", S: "KO" }]));
  log.add(frame("in", [{ T: "h" }]));
  const shown = (filter: Partial<Filter>) => log.entries.filter((one) => matches({ ...NO_FILTER, ...filter }, one)).map(({ number }) => number);

  expect(shown({})).toEqual([1, 2, 3]);
  expect(shown({ direction: "out" })).toEqual([1]);
  expect(shown({ kind: "k" })).toEqual([2]);
  expect(shown({ symbol: " ko " })).toEqual([1, 2]);
  expect(shown({ symbol: "KO", direction: "in" })).toEqual([2]);
  expect(shown({ kind: "k", symbol: "KO" })).toEqual([]);
  expect(kindsOf(log.entries)).toEqual(["h", "k", "subscribe", "t"]);
  expect([isFiltering(NO_FILTER), isFiltering({ ...NO_FILTER, symbol: " " }), isFiltering({ ...NO_FILTER, kind: "k" })]).toEqual([false, false, true]);
});

test("the time line has each state once, with the reason of a close", () => {
  const line = new Timeline();
  const close = { code: 1012, reason: "restart" };
  line.enter({ state: "CONNECTING", at: millis(1) });
  line.enter({ state: "OPEN", at: millis(2) });
  line.enter({ state: "OPEN", at: millis(3) });
  line.enter({ state: "CLOSED", at: millis(4), close });
  expect(line.entries.map(({ state, at }) => `${state} ${at}`)).toEqual(["CONNECTING 1", "OPEN 2", "CLOSED 4"]);
  expect(line.current?.close).toEqual(close);

  for (let at = 5; at < 200; at += 1) line.enter({ state: at % 2 === 0 ? "OPEN" : "CONNECTING", at: millis(at) });
  expect([line.entries.length, line.current?.at]).toEqual([50, 199]);
});
