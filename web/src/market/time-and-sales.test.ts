import { expect, test } from "vitest";
import { cancel, correction, quote, symbol, trade } from "../../fake/builders";
import type { Trade } from "@tapecast/client";
import { MAX_ROWS, TimeAndSales } from "./time-and-sales";

const timeAndSales = () => new TimeAndSales(symbol("AAPL"));
const id = (made: Trade, number: number): Trade => ({ ...made, id: number });
const rows = (of: TimeAndSales) => Array.from({ length: of.end - of.start }, (_, at) => of.row(of.start + at));

test.each([
  [10.02, "buy"],
  [10.05, "buy"],
  [10, "sell"],
  [10.01, "between"],
])("a trade at %d between 10.00 and 10.02 has side %s", (price, side) => {
  const it = timeAndSales();
  it.apply(quote(10, 10.02));

  it.apply(trade(0, price));

  expect(it.newest).toMatchObject({ side });
});

test("before the first quote the side is unknown", () => {
  const it = timeAndSales();
  it.apply(trade(0, 10));

  expect(it.newest).toMatchObject({ side: "between" });
});

test("history closes a gap without duplicates", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10), 1));
  it.addGap(2);
  it.apply(id(trade(30, 13), 4));

  const recovered = it.mergeHistory([id(trade(0, 10), 1), id(trade(10, 11), 2), id(trade(20, 12), 3), id(trade(30, 13), 4)]);

  expect(recovered).toEqual({ added: 2, recovered: 2 });
  expect(rows(it).map((row) => (row?.kind === "print" ? row.price : row?.kind))).toEqual([10, 11, 12, 13]);
});

test("a gap that history cannot fill stays visible", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10), 1));
  it.addGap(7);

  expect(it.mergeHistory([])).toEqual({ added: 0, recovered: 0 });
  expect(it.row(1)).toEqual({ kind: "gap", missing: 7 });
});

test("a snapshot is only added to an empty list", () => {
  const it = timeAndSales();
  it.apply({ ...trade(0, 10), origin: "snapshot" });
  it.apply({ ...trade(0, 10), origin: "snapshot" });

  expect(it.end).toBe(1);
});

test("rows keep their index when the oldest are dropped", () => {
  const it = timeAndSales();
  for (let at = 0; at <= MAX_ROWS; at += 1) it.apply(trade(at, 10 + at));

  expect(it.start).toBe(1_000);
  expect(it.row(1_000)).toMatchObject({ price: 1_010 });
  expect(it.row(999)).toBeUndefined();
});

test("a trade delivered by history first and by the stream later appears once, with the side from the stream", () => {
  const it = timeAndSales();
  it.apply(quote(10, 10.02));
  it.mergeHistory([id(trade(0, 10.02), 1), id(trade(10, 10.02), 2), id(trade(20, 10), 3)]);

  it.apply(id(trade(10, 10.02), 2));
  it.apply(id(trade(20, 10), 3));
  it.apply(id(trade(30, 10.01), 4));

  expect(rows(it).map((row) => (row?.kind === "print" ? [row.id, row.side] : row?.kind))).toEqual([[1, "between"], [2, "buy"], [3, "sell"], [4, "between"]]);
});

test("history that lacks the oldest missing trades leaves the rest of the gap before those it has", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10), 1));
  it.addGap(3);
  it.apply(id(trade(40, 14), 5));
  expect([it.missing, it.historyStart]).toEqual([3, trade(0, 10).time]);

  // The last trade is in flight on the stream: it was never missing.
  const merged = it.mergeHistory([id(trade(30, 13), 4), id(trade(40, 14), 5), id(trade(50, 15), 6)]);

  expect(merged).toEqual({ added: 2, recovered: 1 });
  expect(rows(it).map((row) => (row?.kind === "print" ? row.price : row?.missing))).toEqual([10, 2, 13, 14, 15]);
  expect(it.missing).toBe(2);
});

test("a late trade has no side and is not the newest trade", () => {
  const it = timeAndSales();
  it.apply(quote(10, 10.02));
  it.apply(id(trade(20_000, 10.01), 2));

  it.apply({ ...id(trade(0, 9.5), 3), isLate: true });

  expect(it.row(1)).toMatchObject({ price: 9.5, side: "between", mark: "late" });
  expect(it.newest).toMatchObject({ id: 2 });
});

test("a replayed trade has no side", () => {
  const it = timeAndSales();
  it.apply(quote(10, 10.02));

  it.apply({ ...trade(0, 10), origin: "replay" });

  expect(it.newest).toMatchObject({ side: "between" });
});

test("a cancelled trade is marked, and the last price is that of the trade before it", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10), 1));
  it.apply({ ...id(trade(0, 30), 2), isLate: true });
  it.apply(id(trade(10, 11), 3));

  expect(it.revise(cancel(3))).toEqual({ from: 11, to: 10 });
  expect(rows(it).map((row) => row?.kind === "print" && row.mark)).toEqual(["none", "late", "cancelled"]);
});

test("a corrected trade has its new price and size, and history does not bring the old one back", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10, 5), 1));

  expect(it.revise(correction(1, 10.5, 7))).toEqual({ from: 10, to: 10.5 });
  it.mergeHistory([id(trade(0, 10, 5), 1)]);

  expect(rows(it)).toMatchObject([{ price: 10.5, size: 7, mark: "corrected" }]);
});

test("a cancel of an older or an unknown trade does not change the last price", () => {
  const it = timeAndSales();
  it.apply(id(trade(0, 10), 1));
  it.apply(id(trade(10, 11), 2));

  expect([it.revise(cancel(1)), it.revise(cancel(99))]).toEqual([undefined, undefined]);
});
