import { expect, test } from "vitest";
import { dailyBar, ohlc, START, symbol, ticker, trade } from "../../fake/builders";
import { millis } from "@tapecast/client";
import { INTERVALS, SymbolBars } from "./symbol-bars";

test("a trade of this symbol is added to every interval except the day", () => {
  const bars = new SymbolBars(symbol("AAPL"));

  bars.apply(trade(0, 10));
  bars.apply(trade(0, 10, 1, "KO"));

  expect(INTERVALS.map((interval) => bars.get(interval)?.all.length)).toEqual([1, 1, 1, 1, 1, 1, 0]);
});

test("a snapshot of a trade is not added to the bars", () => {
  const bars = new SymbolBars(symbol("AAPL"));

  bars.apply({ ...trade(0, 10), origin: "snapshot" });

  expect(bars.get(1)?.all).toEqual([]);
});

test("today's bar follows the ticker once its start is known", () => {
  const bars = new SymbolBars(symbol("AAPL"));
  bars.apply(ticker(12, 10));
  expect(bars.get(86_400)?.all).toEqual([]);

  bars.apply(dailyBar(ohlc(0, 10, 11, 9, 10.5, 500)));
  bars.apply(ticker(12, 10));

  expect(bars.get(86_400)?.all).toMatchObject([{ time: millis(START), open: 10, high: 12, close: 12, volume: 1000 }]);
});
