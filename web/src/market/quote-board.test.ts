import { expect, test } from "vitest";
import { status, symbol, ticker, trade } from "../../fake/builders";
import { QuoteBoard } from "./quote-board";

const AAPL = symbol("AAPL");

function board(): QuoteBoard {
  const made = new QuoteBoard();
  made.watch(AAPL);
  made.takeChanged();
  return made;
}

test("the latest ticker is shown", () => {
  const it = board();

  it.apply(ticker(10));
  it.apply(ticker(11));

  expect(it.get(AAPL)?.ticker?.last).toBe(11);
});

test("a symbol that changed several times is reported once", () => {
  const it = board();

  it.apply(ticker(10));
  it.apply(ticker(11));

  expect(it.takeChanged()).toEqual([AAPL]);
  expect(it.takeChanged()).toEqual([]);
});

test("a trade does not change a row: the ticker does", () => {
  const it = board();

  it.apply(trade(0, 10));

  expect(it.takeChanged()).toEqual([]);
});

test("a symbol is halted until trading resumes", () => {
  const it = board();

  it.apply(status("halted", "News Pending"));
  expect(it.get(AAPL)).toMatchObject({ trading: "halted", reason: "News Pending" });
  it.apply(status("open"));

  expect(it.get(AAPL)?.trading).toBe("open");
});

test("a late event of a removed symbol is ignored", () => {
  const it = board();
  it.unwatch(AAPL);

  it.apply(ticker(10));

  expect(it.takeChanged()).toEqual([]);
  expect(it.get(AAPL)).toBeUndefined();
});
