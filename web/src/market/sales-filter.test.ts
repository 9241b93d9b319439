import { expect, test } from "vitest";
import { symbol, trade } from "../../fake/builders";
import { shares, type Trade } from "@tapecast/client";
import { FilteredSales, groupsOf, passes, TimeAndSales, type Print, type SalesFilter, type SalesGroup } from ".";

const filter = (minSize: number, ...hidden: readonly SalesGroup[]): SalesFilter => ({ minSize: shares(minSize), hidden });

const having = (conditions: string, size = 100, afterMs = 0): Trade => ({ ...trade(afterMs, 10, size), conditions, isLate: conditions.includes("Z") });

function salesOf(...trades: readonly Trade[]): TimeAndSales {
  const sales = new TimeAndSales(symbol("AAPL"));
  trades.forEach((one, at) => {
    sales.apply({ ...one, id: at + 1 });
  });
  return sales;
}

const printOf = (one: Trade): Print => {
  const row = salesOf(one).row(0);
  if (row?.kind !== "print") throw new Error("no print");
  return row;
};

test.each([
  ["@", []],
  ["", []],
  ["@I", ["oddLots"]],
  ["@TI", ["oddLots", "extended"]],
  ["Z", ["late"]],
  ["W", ["special"]],
  ["4", ["special"]],
  ["F", []],
] as const)("a trade with the conditions `%s` is of %j", (conditions, groups) => {
  expect(groupsOf(printOf(having(conditions)))).toEqual(groups);
});

test("a smaller trade is hidden, one of the size itself is not", () => {
  expect([99, 100, 101].map((size) => passes(printOf(having("@", size)), filter(100)))).toEqual([false, true, true]);
});

test("a trade is hidden if any of its conditions is", () => {
  expect(["@", "@I", "@TI", "T"].map((conditions) => passes(printOf(having(conditions)), filter(0, "oddLots")))).toEqual([true, false, false, true]);
});

test("a cancelled and a corrected trade are hidden together", () => {
  const print = printOf(having("@"));

  expect((["none", "late", "corrected", "cancelled"] as const).map((mark) => passes({ ...print, mark }, filter(0, "revised")))).toEqual([true, true, false, false]);
});

test("a gap is never hidden", () => {
  expect(passes({ kind: "gap", missing: 3 }, filter(10_000, "oddLots", "late", "extended", "special", "revised"))).toBe(true);
});

test("the rows that pass are found by their place, and counted up to an index", () => {
  const sales = salesOf(having("@", 100), having("@I", 5), having("@", 200), having("@I", 7), having("@", 300));
  const filtered = new FilteredSales();

  filtered.update(sales, filter(0, "oddLots"));

  expect(filtered.count).toBe(3);
  expect([0, 1, 2, 3].map((place) => filtered.at(place))).toEqual([0, 2, 4, undefined]);
  expect([0, 1, 2, 3, 5].map((end) => filtered.countBefore(end))).toEqual([0, 1, 1, 2, 3]);
});

test("another filter and a new trade are taken over", () => {
  const sales = salesOf(having("@", 100), having("@I", 5));
  const filtered = new FilteredSales();
  const all = filter(0);

  filtered.update(sales, filter(50));
  expect(filtered.count).toBe(1);
  filtered.update(sales, all);
  expect(filtered.count).toBe(2);
  sales.apply({ ...having("@", 100, 5), id: 9 });
  filtered.update(sales, all);
  expect(filtered.count).toBe(3);
});
