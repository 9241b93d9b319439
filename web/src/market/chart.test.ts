import { expect, test } from "vitest";
import { dailyBar, ohlc, START, symbol, ticker, trade } from "../../fake/builders";
import { millis } from "../model";
import { Charts } from "./chart";

test("a trade of this symbol is added to every interval except the day", () => {
  const charts = new Charts(symbol("AAPL"));

  charts.apply(trade(0, 10));
  charts.apply(trade(0, 10, 1, "KO"));

  expect(([1, 5, 60, 300, 86_400] as const).map((interval) => charts.of(interval)?.all.length)).toEqual([1, 1, 1, 1, 0]);
});

test("a snapshot of a trade is not added to the bars", () => {
  const charts = new Charts(symbol("AAPL"));

  charts.apply({ ...trade(0, 10), origin: "snapshot" });

  expect(charts.of(1)?.all).toEqual([]);
});

test("today's bar follows the ticker once its start is known", () => {
  const charts = new Charts(symbol("AAPL"));
  charts.apply(ticker(12, 10));
  expect(charts.of(86_400)?.all).toEqual([]);

  charts.apply(dailyBar(ohlc(0, 10, 11, 9, 10.5, 500)));
  charts.apply(ticker(12, 10));

  expect(charts.of(86_400)?.all).toMatchObject([{ time: millis(START), open: 10, high: 12, close: 12, volume: 1000 }]);
});
