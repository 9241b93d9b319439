import { expect, test } from "vitest";
import { symbol, ticker } from "../../fake/builders";
import { Sparkline } from "../market";
import { COLUMNS } from "../strings";
import { rowText } from "./columns";

test("a row is copied with plain numbers, each in a field of its own", () => {
  const state = { ticker: ticker(1234.5, 1200), trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() } as const;
  const row = { symbol: symbol("AAPL"), name: "Apple Inc.", state };

  expect(rowText(COLUMNS, row)).toBe("AAPL\tApple Inc.\t1234.5\t34.50\t2.88%\t1234.49\t100\t1234.51\t200\t1000\t1200\t1234.5");
});

test("a row without a price has as many fields as one with a price", () => {
  const state = { ticker: undefined, trading: "open", reason: "", isUnknown: false, sparkline: new Sparkline() } as const;

  expect(rowText(["symbol", "last", "bid", "volume"], { symbol: symbol("AAPL"), name: "", state })).toBe("AAPL\t\t\t\t");
});
