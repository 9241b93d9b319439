import { expect, test } from "vitest";
import { quote, symbol, trade } from "../../fake/builders";
import type { Trade } from "../model";
import { MAX_LINES, Tape } from "./tape";

const tape = () => new Tape(symbol("AAPL"));
const id = (made: Trade, number: number): Trade => ({ ...made, id: number });
const lines = (of: Tape) => Array.from({ length: of.end - of.start }, (_, at) => of.line(of.start + at));

test.each([
  [10.02, "buy"],
  [10.05, "buy"],
  [10, "sell"],
  [10.01, "between"],
])("a trade at %d between 10.00 and 10.02 has side %s", (price, side) => {
  const it = tape();
  it.apply(quote(10, 10.02));

  it.apply(trade(0, price));

  expect(it.newest).toMatchObject({ side });
});

test("before the first quote the side is unknown", () => {
  const it = tape();
  it.apply(trade(0, 10));

  expect(it.newest).toMatchObject({ side: "between" });
});

test("history closes a gap without duplicates", () => {
  const it = tape();
  it.apply(id(trade(0, 10), 1));
  it.miss(2);
  it.apply(id(trade(30, 13), 4));

  const healed = it.heal([id(trade(0, 10), 1), id(trade(10, 11), 2), id(trade(20, 12), 3), id(trade(30, 13), 4)]);

  expect(healed).toBe(2);
  expect(lines(it).map((line) => (line?.kind === "print" ? line.price : line?.kind))).toEqual([10, 11, 12, 13]);
});

test("a gap that history cannot fill stays visible", () => {
  const it = tape();
  it.apply(id(trade(0, 10), 1));
  it.miss(7);

  expect(it.heal([])).toBe(0);
  expect(it.line(1)).toEqual({ kind: "hole", missing: 7 });
});

test("a snapshot is only added to an empty list", () => {
  const it = tape();
  it.apply({ ...trade(0, 10), origin: "snapshot" });
  it.apply({ ...trade(0, 10), origin: "snapshot" });

  expect(it.end).toBe(1);
});

test("rows keep their index when the oldest are dropped", () => {
  const it = tape();
  for (let at = 0; at <= MAX_LINES; at += 1) it.apply(trade(at, 10 + at));

  expect(it.start).toBe(1_000);
  expect(it.line(1_000)).toMatchObject({ price: 1_010 });
  expect(it.line(999)).toBeUndefined();
});

test("a trade delivered by history first and by the stream later appears once, with the side from the stream", () => {
  const it = tape();
  it.apply(quote(10, 10.02));
  it.heal([id(trade(0, 10.02), 1), id(trade(10, 10.02), 2), id(trade(20, 10), 3)]);

  it.apply(id(trade(10, 10.02), 2));
  it.apply(id(trade(20, 10), 3));
  it.apply(id(trade(30, 10.01), 4));

  expect(lines(it).map((line) => (line?.kind === "print" ? [line.id, line.side] : line?.kind))).toEqual([[1, "between"], [2, "buy"], [3, "sell"], [4, "between"]]);
});
