import { expect, test } from "vitest";
import { numbered, quote, symbol, trade } from "../../../fake/builders";
import { seq } from "../model";
import { SequenceChecker } from "./sequence";

const NO_SYMBOLS = { trades: [], quotes: [], bars: [], updatedBars: [], dailyBars: [], statuses: [], tickers: [], cancelErrors: [], corrections: [] };

test("the first object of a stream is always accepted", () => {
  expect(new SequenceChecker().check(numbered(trade(0, 10), 500))).toBe("next");
});

test("numbers that rise by the conflated count plus one are in order", () => {
  const sequence = new SequenceChecker();

  expect(sequence.check(numbered(quote(1, 2), 5))).toBe("next");
  expect(sequence.check(numbered(quote(1, 2), 6))).toBe("next");
  expect(sequence.check(numbered(quote(1, 2), 10, 3))).toBe("next");
});

test("a gap has the first and last missing number", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 9, 1))).toEqual({ channel: "trades", symbol: "AAPL", from: 6, to: 7, detectedBy: "client" });
});

test("an object received twice is a duplicate", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(trade(0, 10), 5))).toBe("duplicate");
});

test("each stream has its own numbers, by channel and by symbol", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));

  expect(sequence.check(numbered(quote(1, 2), 70))).toBe("next");
  expect(sequence.check(numbered(trade(0, 10, 1, "KO"), 900))).toBe("next");
  expect(sequence.check(numbered(trade(0, 10), 6))).toBe("next");
});

test("objects without sequence numbers are always accepted", () => {
  const sequence = new SequenceChecker();

  expect(sequence.check(trade(0, 10))).toBe("next");
  expect(sequence.check(trade(0, 10))).toBe("next");
});

test("a stream that is no longer subscribed to is forgotten", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 5));

  sequence.retainOnly({ ...NO_SYMBOLS, quotes: ["*"] });

  expect(sequence.check(numbered(trade(0, 10), 50))).toBe("next");
  expect(sequence.check(numbered(quote(1, 2), 50))).toMatchObject({ from: 6, to: 49 });
});

test("a gap reported by the server is not detected again", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));

  sequence.skip({ channel: "trades", symbol: symbol("AAPL"), from: seq(6), to: seq(9), detectedBy: "server" });

  expect(sequence.check(numbered(trade(0, 10), 10))).toBe("next");
});

test("a gap that begins before the last number voids it", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 500));

  sequence.skip({ channel: "trades", symbol: symbol("AAPL"), from: seq(1), to: seq(9), detectedBy: "server" });

  expect(sequence.check(numbered(trade(0, 10), 10))).toBe("next");
});

test("a snapshot of a resumed stream is a duplicate, and the start of any other stream", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 70));
  sequence.reset(["trades"]);

  expect(sequence.check({ ...numbered(trade(0, 10), 8), origin: "snapshot" })).toBe("duplicate");
  expect(sequence.check(numbered(trade(0, 10), 6))).toBe("next");
  expect(sequence.check({ ...numbered(quote(1, 2), 90), origin: "snapshot" })).toBe("next");
  expect(sequence.check(numbered(quote(1, 2), 91))).toBe("next");
});

test("only requested streams with a known number are resumed", () => {
  const sequence = new SequenceChecker();
  sequence.check(numbered(trade(0, 10), 5));
  sequence.check(numbered(quote(1, 2), 70));

  const streams = { trades: [symbol("AAPL"), symbol("KO")], quotes: [symbol("AAPL")], bars: [symbol("AAPL")] };
  expect(sequence.lastNumbers(streams, ["trades", "bars"])).toEqual({ trades: { AAPL: 5 } });
  expect(sequence.lastNumbers(streams, ["quotes"])).toEqual({ quotes: { AAPL: 70 } });
});
