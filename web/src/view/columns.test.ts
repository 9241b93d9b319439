import { expect, test } from "vitest";
import { price, shares } from "@tapecast/client";
import { symbol, ticker } from "../../fake/builders";
import { Sparkline } from "../market";
import { COLUMNS, type ColumnId } from "../strings";
import { POSITION_COLUMNS } from "./position-cells";
import { columnsToHide, rowText, shapeOf, sortValueOf } from "./columns";

const ROW = { kind: "symbol", name: "", flag: undefined, position: undefined, section: undefined } as const;

test("a row is copied with plain numbers, each in a field of its own", () => {
  const state = { ticker: ticker(1234.5, 1200), trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() } as const;
  const row = { ...ROW, symbol: symbol("AAPL"), name: "Apple Inc.", state, position: { quantity: shares(-10), cost: price(1250) } };

  expect(rowText(COLUMNS, row)).toBe("AAPL\tApple Inc.\t1234.5\t34.50\t2.88%\t1234.49\t100\t1234.51\t200\t1000\t1200\t1234.5\t-10\t1250\t-12345.00\t-345.00\t155.00\t1.24%");
});

test("a row without a price has as many fields as one with a price", () => {
  const state = { ticker: undefined, trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() } as const;

  expect(rowText(["symbol", "last", "bid", "volume"], { kind: "symbol", symbol: symbol("AAPL"), flag: undefined, position: undefined, section: undefined, name: "", state })).toBe("AAPL\t\t\t\t");
});

test("a row of an instrument of which only the last price is known has no change and no quote", () => {
  const known = { ...ticker(5528.75), previousClose: undefined, bid: undefined, ask: undefined };
  const state = { ticker: known, trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() } as const;
  const row = { ...ROW, symbol: symbol("ESU4"), state };

  expect(rowText(["symbol", "last", "change", "percent", "bid", "ask"], row)).toBe("ESU4\t5528.75\t\t\t\t\t\t");
  expect(sortValueOf("percent", row)).toBeUndefined();
});

/** The columns of a list without positions. */
const NEEDS = COLUMNS.filter((id) => !POSITION_COLUMNS.some((one) => one === id)).map((id) => ({ id, width: shapeOf(id, "wide", 13).width ?? shapeOf(id, "wide", 13).minWidth ?? 0 }));
const TOTAL = NEEDS.reduce((sum, { width }) => sum + width, 0);
const asked = (...ids: readonly ColumnId[]) => new Set(ids);

test.each([
  [TOTAL, []],
  [TOTAL - 1, ["range"]],
  [TOTAL - 221, ["range", "spark"]],
  [600, ["range", "spark", "name", "volume", "ask"]],
  [0, ["range", "spark", "name", "volume", "ask", "bid", "change", "remove", "percent"]],
])("in %d px these columns make room: %j", (available, hidden) => {
  expect([...columnsToHide(NEEDS, available, asked())]).toEqual(hidden);
});

test("a column that the user asked for stays longer than the others", () => {
  expect([...columnsToHide(NEEDS, TOTAL - 200, asked("range"))]).toEqual(["spark", "name"]);
});
