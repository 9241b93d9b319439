import { expect, test } from "vitest";
import { numbered, quote, trade } from "../../fake/make";
import { SequenceCheck } from "./sequence";

const NOTHING = { trades: [], quotes: [], bars: [], updatedBars: [], dailyBars: [] };

test("the first object of a stream proves nothing", () => {
  expect(new SequenceCheck().check(numbered(trade(0, 10), 500))).toBeUndefined();
});

test("numbers that rise by what was merged are in order", () => {
  const sequence = new SequenceCheck();

  expect(sequence.check(numbered(quote(1, 2), 5))).toBeUndefined();
  expect(sequence.check(numbered(quote(1, 2), 6))).toBeUndefined();
  expect(sequence.check(numbered(quote(1, 2), 10, 3))).toBeUndefined();
});

test("a missing object is a gap that names what was due and what came", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 9, 1))).toEqual({ channel: "trades", symbol: "AAPL", expected: 6, got: 8 });
});

test("an object that came twice is a gap as well", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 5))).toMatchObject({ expected: 6, got: 5 });
});

test("streams are counted apart, by channel and by symbol", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(quote(1, 2), 70))).toBeUndefined();
  expect(sequence.check(numbered(trade(0, 10, 1, "KO"), 900))).toBeUndefined();
  expect(sequence.check(numbered(trade(0, 10), 6))).toBeUndefined();
});

test("a server that does not number is not held to anything", () => {
  const sequence = new SequenceCheck();

  expect(sequence.check(trade(0, 10))).toBeUndefined();
  expect(sequence.check(trade(0, 10))).toBeUndefined();
});

test("a stream that is no longer subscribed to starts afresh", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 5));

  sequence.keepOnly({ ...NOTHING, quotes: ["*"] });

  expect(sequence.check(numbered(trade(0, 10), 50))).toBeUndefined();
  expect(sequence.check(numbered(quote(1, 2), 50))).toBeDefined();
});
