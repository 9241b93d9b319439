import type { Indicator } from "./indicator";

/**
 * The exponential moving average of closes, with the usual weight of `2 / (period + 1)`.
 *
 * The first value is the simple average of the first `period` closes, as in StockCharts' ChartSchool and TA-Lib. The formula
 * in TradingView's reference starts at the first close; the two meet after a few periods.
 */
export const ema = (period: number): Indicator => seed(period, 0, 0);

/** Sums the closes until the first value. */
const seed = (period: number, count: number, sum: number): Indicator => ({
  value: undefined,
  next: ({ close }) => (count + 1 < period ? seed(period, count + 1, sum + close) : average(period, (sum + close) / period)),
});

const average = (period: number, value: number): Indicator => ({
  value,
  next: ({ close }) => average(period, value + (2 / (period + 1)) * (close - value)),
});
