import type { Indicator } from "./indicator";

/** The average rise and the average fall of a bar. */
interface Averages {
  readonly rise: number;
  readonly fall: number;
}

/**
 * The relative strength index: J. Welles Wilder, New Concepts in Technical Trading Systems, 1978.
 *
 * The first averages of rises and falls are simple ones of `period` changes. After that, each change has a weight of
 * `1 / period`, which is Wilder's smoothing.
 */
export const rsi = (period: number): Indicator => ({ value: undefined, next: ({ close }) => seed(period, close, 0, { rise: 0, fall: 0 }) });

const seed = (period: number, previous: number, count: number, sums: Averages): Indicator => ({
  value: undefined,
  next: ({ close }) => {
    const { rise, fall } = changeOf(previous, close);
    const [rises, falls] = [sums.rise + rise, sums.fall + fall];
    if (count + 1 < period) return seed(period, close, count + 1, { rise: rises, fall: falls });
    return smoothed(period, close, { rise: rises / period, fall: falls / period });
  },
});

const smoothed = (period: number, previous: number, averages: Averages): Indicator => ({
  value: valueOf(averages),
  next: ({ close }) => {
    const change = changeOf(previous, close);
    const smooth = (average: number, latest: number) => (average * (period - 1) + latest) / period;
    return smoothed(period, close, { rise: smooth(averages.rise, change.rise), fall: smooth(averages.fall, change.fall) });
  },
});

const changeOf = (previous: number, close: number): Averages => ({ rise: Math.max(0, close - previous), fall: Math.max(0, previous - close) });

/** Between 0 and 100: the share of the rises. In the middle if nothing moved. */
const valueOf = ({ rise, fall }: Averages): number => (rise + fall === 0 ? 50 : (100 * rise) / (rise + fall));
