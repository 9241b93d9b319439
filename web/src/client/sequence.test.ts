import { expect, test } from "vitest";
import { numbered, quote, symbol, trade } from "../../fake/make";
import { seq } from "../model";
import { SequenceCheck } from "./sequence";

const NOTHING = { trades: [], quotes: [], bars: [], updatedBars: [], dailyBars: [], statuses: [], tickers: [] };

test("the first object of a stream proves nothing", () => {
  expect(new SequenceCheck().check(numbered(trade(0, 10), 500))).toBe("follows");
});

test("numbers that rise by what was conflated are in order", () => {
  const sequence = new SequenceCheck();

  expect(sequence.check(numbered(quote(1, 2), 5))).toBe("follows");
  expect(sequence.check(numbered(quote(1, 2), 6))).toBe("follows");
  expect(sequence.check(numbered(quote(1, 2), 10, 3))).toBe("follows");
});

test("a missing object is a gap that names what did not come", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 9, 1))).toEqual({ channel: "trades", symbol: "AAPL", from: 6, to: 7, known: "noticed" });
});

test("an object that came twice is no news", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 5))).toBe("again");
});

test("streams are counted apart, by channel and by symbol", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(quote(1, 2), 70))).toBe("follows");
  expect(sequence.check(numbered(trade(0, 10, 1, "KO"), 900))).toBe("follows");
  expect(sequence.check(numbered(trade(0, 10), 6))).toBe("follows");
});

test("a server that does not number is not held to anything", () => {
  const sequence = new SequenceCheck();

  expect(sequence.check(trade(0, 10))).toBe("follows");
  expect(sequence.check(trade(0, 10))).toBe("follows");
});

test("a stream that is no longer subscribed to starts afresh", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 5));

  sequence.keepOnly({ ...NOTHING, quotes: ["*"] });

  expect(sequence.check(numbered(trade(0, 10), 50))).toBe("follows");
  expect(sequence.check(numbered(quote(1, 2), 50))).toMatchObject({ from: 6, to: 49 });
});

test("what the server says will not come is missed once", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));

  sequence.skip({ channel: "trades", symbol: symbol("AAPL"), from: seq(6), to: seq(9), known: "told" });

  expect(sequence.check(numbered(trade(0, 10), 10))).toBe("follows");
});

test("a snapshot of a resumed stream is left to the replay, and begins any other", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 70));
  sequence.reset(["trades"]);

  expect(sequence.check({ ...numbered(trade(0, 10), 8), origin: "snapshot" })).toBe("again");
  expect(sequence.check(numbered(trade(0, 10), 6))).toBe("follows");
  expect(sequence.check({ ...numbered(quote(1, 2), 90), origin: "snapshot" })).toBe("follows");
  expect(sequence.check(numbered(quote(1, 2), 91))).toBe("follows");
});

test("only what is asked for and known is resumed", () => {
  const sequence = new SequenceCheck();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 70));

  expect(sequence.lastOf({ trades: [symbol("AAPL"), symbol("KO")], bars: [symbol("AAPL")] })).toEqual({ trades: { AAPL: 5 } });
});
