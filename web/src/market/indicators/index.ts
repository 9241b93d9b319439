/** Indicators as folds over bars. */
export { ema } from "./ema";
export type { Indicator } from "./indicator";
export { IndicatorSeries, type Point, type PointUpdate } from "./indicator-series";
export { rsi } from "./rsi";
export { missesSessionStart, vwap } from "./vwap";
