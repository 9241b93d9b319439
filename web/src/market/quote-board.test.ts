import { expect, test } from "vitest";
import { status, symbol, ticker, trade } from "../../fake/builders";
import { price, shares } from "@tapecast/client";
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

test("a revised last price replaces the server's until another trade", () => {
  const it = board();
  it.apply(ticker(11));
  it.revise(AAPL, { from: price(11), to: price(10) });
  expect(it.get(AAPL)?.ticker?.last).toBe(10);

  // A quote changed: the server repeats the trade as it was reported.
  it.apply(ticker(11));
  expect(it.get(AAPL)?.ticker?.last).toBe(10);

  it.apply({ ...ticker(11), volume: shares(1_100) });
  expect(it.get(AAPL)?.ticker?.last).toBe(11);
});

test("an unknown symbol is marked until an object of it arrives", () => {
  const it = board();
  it.markUnknown(["AAPL", "NOPE"]);
  expect(it.get(AAPL)?.isUnknown).toBe(true);
  expect(it.takeChanged()).toEqual([AAPL]);

  it.apply(ticker(10));
  expect(it.get(AAPL)?.isUnknown).toBe(false);
});
