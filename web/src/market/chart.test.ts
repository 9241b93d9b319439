import { expect, test } from "vitest";
import { dailyBar, ohlc, symbol, trade } from "../../fake/make";
import { Charts } from ".";

test("a trade is in every interval's chart, and the server's minute replaces ours", () => {
  const charts = new Charts();
  charts.watch(symbol("AAPL"));

  charts.apply(trade(1000, 10));
  charts.apply({ ...dailyBar(ohlc(0, 8, 12, 7, 11, 900)), channel: "bars" });

  expect(charts.of(symbol("AAPL"), 1)?.all).toEqual([ohlc(1000, 10, 10, 10, 10, 10)]);
  expect(charts.of(symbol("AAPL"), 60)?.all).toEqual([ohlc(0, 8, 12, 7, 11, 900)]);
});
