import { expect, test } from "vitest";
import { millis, type Ohlc } from "@tapecast/client";
import { ohlc as bar, START } from "../../../fake/builders";
import { TimeZone } from "../../format";
import { EXCHANGE_TIME_ZONE, ExchangeHours } from "../exchange-hours";
import { ema, IndicatorSeries, missesSessionStart, rsi, vwap, type Indicator } from ".";

const newYork = new TimeZone(EXCHANGE_TIME_ZONE);
const hours = new ExchangeHours((ms) => newYork.localOf(ms));

const closing = (closes: readonly number[]): readonly Ohlc[] => closes.map((close, at) => bar(at * 60_000, close, close, close, close, 10));

/** The values after each bar, without those before the first value. */
function valuesOf(start: Indicator, bars: readonly Ohlc[]): readonly number[] {
  let indicator = start;
  return bars.flatMap((one) => {
    indicator = indicator.next(one);
    return indicator.value ?? [];
  });
}

/** StockCharts, ChartSchool, "Moving Averages - Simple and Exponential": the closes of Intel and their EMA of 10 days. */
const INTEL = [
  22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38, 22.61, 23.36, 24.05, 23.75, 23.83, 23.95, 23.63, 23.82,
  23.87, 23.65, 23.19, 23.1, 23.33, 22.68, 23.1, 22.4, 22.17,
];
const INTEL_EMA_10 = [
  22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.8, 22.97, 23.13, 23.28, 23.34, 23.43, 23.51, 23.54, 23.47, 23.4, 23.39, 23.26, 23.23, 23.08, 22.92,
];

/**
 * StockCharts, ChartSchool, "Relative Strength Index (RSI)": the closes of QQQQ and their RSI of 14 days, by Wilder's
 * method (New Concepts in Technical Trading Systems, 1978, chapter VI).
 */
const QQQQ = [
  44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.614, 46.282, 46.282, 46.0028, 46.0328,
  46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
];
const QQQQ_RSI_14 = [
  70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46, 37.3, 33.08, 37.77,
];

test("the exponential moving average is that of the published example, from the tenth close on", () => {
  const values = valuesOf(ema(10), closing(INTEL));

  expect(values).toHaveLength(INTEL_EMA_10.length);
  // The example was calculated from closes that it shows rounded.
  values.forEach((value, at) => {
    expect(Math.abs(value - (INTEL_EMA_10[at] ?? 0))).toBeLessThan(0.011);
  });
});

test("the average of one period is the close", () => {
  expect(valuesOf(ema(1), closing([10, 12, 11]))).toEqual([10, 12, 11]);
});

test("the relative strength index is that of the published example, from the fourteenth change on", () => {
  expect(valuesOf(rsi(14), closing(QQQQ)).map((value) => Number(value.toFixed(2)))).toEqual(QQQQ_RSI_14);
});

test("the relative strength index is 100 where prices only rose, 0 where they only fell and 50 where they did not move", () => {
  expect(valuesOf(rsi(2), closing([1, 2, 3, 4]))).toEqual([100, 100]);
  expect(valuesOf(rsi(2), closing([4, 3, 2, 1]))).toEqual([0, 0]);
  expect(valuesOf(rsi(2), closing([3, 3, 3, 3]))).toEqual([50, 50]);
});

test("the volume-weighted average price weighs typical prices by volume and begins again at the opening", () => {
  // 9:28 and 9:29 in New York are before the opening.
  const bars = [bar(-120_000, 10, 10, 10, 10, 100), bar(-60_000, 12, 12, 12, 12, 300), bar(0, 20, 24, 18, 21, 10), bar(60_000, 21, 33, 27, 30, 30)];

  expect(valuesOf(vwap(hours), bars)).toEqual([10, 11.5, 21, (21 * 10 + 30 * 30) / 40]);
});

test("there is no volume-weighted average price before the first volume", () => {
  expect(valuesOf(vwap(hours), [bar(0, 10, 10, 10, 10, 0), bar(60_000, 12, 12, 12, 12, 5)])).toEqual([12]);
});

test("bars that begin within a session miss its start, those that begin with it or before it do not", () => {
  const [before, first, second] = [bar(-60_000, 1, 1, 1, 1, 1), bar(0, 1, 1, 1, 1, 1), bar(60_000, 1, 1, 1, 1, 1)];

  expect(missesSessionStart([second], START + 60_000, hours)).toBe(START + 60_000);
  expect(missesSessionStart([first, second], START + 60_000, hours)).toBeUndefined();
  expect(missesSessionStart([before, second], START + 60_000, hours)).toBeUndefined();
  expect(missesSessionStart([before, second], START - 60_000, hours)).toBe(START - 60_000);
  expect(missesSessionStart([], START, hours)).toBeUndefined();
});

/** A fold of closes that counts how often it is computed. */
function counting(): { readonly start: Indicator; readonly count: () => number } {
  let count = 0;
  const sum = (total: number): Indicator => ({
    value: total,
    next: ({ close }) => {
      count += 1;
      return sum(total + close);
    },
  });
  return { start: sum(0), count: () => count };
}

test("a change of the last bar computes one value, from the bars before it", () => {
  const { start, count } = counting();
  const series = new IndicatorSeries(start);
  series.apply({ kind: "all", bars: closing([1, 2, 3]) });
  expect(count()).toBe(3);

  for (const close of [4, 5, 6]) series.apply({ kind: "tail", bars: [bar(120_000, 3, close, 3, close, 10)] });

  expect(count()).toBe(6);
  expect(series.valueAt(START + 120_000)).toBe(1 + 2 + 6);
});

test("a new bar keeps the value of the one before it", () => {
  const series = new IndicatorSeries(counting().start);
  series.apply({ kind: "all", bars: closing([1, 2]) });

  const update = series.apply({ kind: "tail", bars: [bar(60_000, 2, 5, 2, 5, 10), bar(120_000, 7, 7, 7, 7, 10)] });

  expect(update).toEqual({ kind: "tail", points: [{ time: millis(START + 60_000), value: 6 }, { time: millis(START + 120_000), value: 13 }] });
  expect([0, 60_000, 90_000, 120_000].map((after) => series.valueAt(START + after))).toEqual([1, 6, undefined, 13]);
});

test("older bars compute every value again", () => {
  const series = new IndicatorSeries(counting().start);
  series.apply({ kind: "all", bars: closing([1, 2]) });

  const { points } = series.apply({ kind: "all", bars: closing([10, 1, 2]) });

  expect(points.map(({ value }) => value)).toEqual([10, 11, 13]);
});
