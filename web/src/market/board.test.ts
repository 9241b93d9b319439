import { expect, test } from "vitest";
import { dailyBar, ohlc, quote, symbol, trade } from "../../fake/make";
import { Board } from ".";

const AAPL = symbol("AAPL");

function watching(): Board {
  const board = new Board();
  board.watch(AAPL);
  board.takeChanged();
  return board;
}

test("until a daily bar comes, the day is known in part only", () => {
  const board = watching();

  board.apply(trade(0, 10, 5));
  board.apply(trade(1, 12, 5));

  expect(board.of(AAPL)).toMatchObject({ last: 12, day: { open: 10, high: 12, low: 10, volume: 10, known: "part" } });
});

test("a daily bar replaces our figures and trades are folded into it", () => {
  const board = watching();
  board.apply(trade(0, 10, 5));

  board.apply(dailyBar(ohlc(0, 8, 11, 7, 10, 1000)));
  board.apply(trade(1, 12, 5));

  expect(board.of(AAPL)).toMatchObject({ last: 12, day: { open: 8, high: 12, low: 7, volume: 1005, known: "whole" } });
});

test("a daily bar that comes before any trade tells the last price too", () => {
  const board = watching();

  board.apply(dailyBar(ohlc(0, 8, 11, 7, 10, 1000)));

  expect(board.of(AAPL)?.last).toBe(10);
});

test("however much a symbol changes it is marked once, and only until it is taken", () => {
  const board = watching();

  board.apply(quote(10, 11));
  board.apply(quote(10.5, 11));
  board.apply(trade(0, 11));

  expect(board.takeChanged()).toEqual([AAPL]);
  expect(board.takeChanged()).toEqual([]);
});

test("a late event of a symbol that was removed means nothing", () => {
  const board = watching();
  board.unwatch(AAPL);

  board.apply(trade(0, 10));

  expect(board.of(AAPL)).toBeUndefined();
  expect(board.takeChanged()).toEqual([]);
});
