import { expect, test } from "vitest";
import { price, shares } from "@tapecast/client";
import { symbol, ticker } from "../../fake/builders";
import { figuresOf, readPositions, totalOf, writePositions } from "./positions";

const held = (quantity: number, cost: number) => ({ quantity: shares(quantity), cost: price(cost) });

test("a long position gains when the price rises", () => {
  expect(figuresOf(held(10, 100), ticker(120, 110))).toEqual({ value: 1_200, dayProfit: 100, profit: 200, profitRatio: 0.2 });
});

test("a short position gains when the price falls, and its value is what closing it costs", () => {
  expect(figuresOf(held(-10, 100), ticker(80, 90))).toEqual({ value: -800, dayProfit: 100, profit: 200, profitRatio: 0.2 });
  expect(figuresOf(held(-10, 100), ticker(120, 110))).toEqual({ value: -1_200, dayProfit: -100, profit: -200, profitRatio: -0.2 });
});

test("a fraction of a share counts, and what cost nothing has no percentage", () => {
  expect(figuresOf(held(0.5, 0), ticker(10, 8))).toEqual({ value: 5, dayProfit: 1, profit: 5, profitRatio: undefined });
});

test("without a last price there are no figures, without a previous close none of the day", () => {
  expect(figuresOf(held(1, 1), undefined)).toBeUndefined();
  expect(figuresOf(held(1, 1), { ...ticker(2), previousClose: undefined })?.dayProfit).toBeUndefined();
});

test("the total sums long and short positions, its percentage is of all that was invested", () => {
  const total = totalOf([[held(10, 100), ticker(120, 110)], [held(-10, 100), ticker(90, 95)]]);

  expect(total).toEqual({ value: 300, dayProfit: 150, profit: 300, profitRatio: 0.15, withoutPrice: 0 });
});

test("a position without a price is counted and left out of the total", () => {
  expect(totalOf([[held(10, 100), ticker(120, 110)], [held(5, 7), undefined]])).toMatchObject({ value: 1_200, profit: 200, profitRatio: 0.2, withoutPrice: 1 });
  expect(totalOf([])).toBeUndefined();
});

test("positions survive serialisation, invalid ones are ignored", () => {
  const positions = new Map([[symbol("AAPL"), held(-3, 12.5)]]);

  expect(readPositions(writePositions(positions))).toEqual(positions);
  expect(readPositions('{"AAPL":{"quantity":0,"cost":1},"KO":{"quantity":1,"cost":-1},"A B":{"quantity":1,"cost":1},"XOM":7}')).toEqual(new Map());
  for (const text of [null, "", "7", "[1]", "{"]) expect(readPositions(text)).toEqual(new Map());
});
