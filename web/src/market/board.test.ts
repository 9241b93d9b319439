import { expect, test } from "vitest";
import { status, symbol, ticker, trade } from "../../fake/make";
import { Board } from "./board";

const AAPL = symbol("AAPL");

function board(): Board {
  const made = new Board();
  made.watch(AAPL);
  made.takeChanged();
  return made;
}

test("the newest ticker is what is shown", () => {
  const it = board();

  it.apply(ticker(10));
  it.apply(ticker(11));

  expect(it.of(AAPL)?.ticker?.last).toBe(11);
});

test("a symbol that changed often is told once", () => {
  const it = board();

  it.apply(ticker(10));
  it.apply(ticker(11));

  expect(it.takeChanged()).toEqual([AAPL]);
  expect(it.takeChanged()).toEqual([]);
});

test("a trade alone changes no row: the ticker says it all", () => {
  const it = board();

  it.apply(trade(0, 10));

  expect(it.takeChanged()).toEqual([]);
});

test("a halt is shown until trading resumes", () => {
  const it = board();

  it.apply(status("halted", "News Pending"));
  expect(it.of(AAPL)).toMatchObject({ trading: "halted", reason: "News Pending" });
  it.apply(status("open"));

  expect(it.of(AAPL)?.trading).toBe("open");
});

test("what is no longer watched is late and means nothing", () => {
  const it = board();
  it.unwatch(AAPL);

  it.apply(ticker(10));

  expect(it.takeChanged()).toEqual([]);
  expect(it.of(AAPL)).toBeUndefined();
});
