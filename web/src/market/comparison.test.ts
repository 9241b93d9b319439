import { expect, test } from "vitest";
import { ohlc as bar, START } from "../../fake/builders";
import { changeSince, closesAt } from ".";

const at = (second: number, close: number) => bar(second * 1_000, close, close, close, close, 10);

test("another symbol's close is that of its last bar until each bar of the chart", () => {
  const bars = [at(0, 1), at(1, 1), at(3, 1), at(4, 1)];

  expect(closesAt(bars, [at(1, 50), at(2, 51), at(4, 52), at(5, 53)]).map(({ value }) => value)).toEqual([undefined, 50, 51, 52]);
  expect(closesAt(bars, [at(1, 50), at(2, 51)], 2)).toEqual([
    { time: START + 3_000, value: 51 },
    { time: START + 4_000, value: 51 },
  ]);
  expect(closesAt(bars, []).map(({ value }) => value)).toEqual([undefined, undefined, undefined, undefined]);
});

test("a change is that since the first bar in view", () => {
  const bars = [at(0, 50), at(2, 100), at(4, 110), at(6, 90)];

  expect(changeSince(bars, START + 3_000, START + 4_500)).toBeCloseTo(0.1);
  expect(changeSince(bars, START + 2_000, START + 9_000)).toBeCloseTo(-0.1);
});

test("a symbol whose bars begin within the view begins at zero, and before that it has no change", () => {
  const bars = [at(2, 100), at(4, 110)];

  expect(changeSince(bars, START, START + 1_000)).toBeUndefined();
  expect(changeSince(bars, START, START + 2_000)).toBe(0);
  expect(changeSince(bars, START, START + 4_000)).toBeCloseTo(0.1);
  expect(changeSince([], START, START + 4_000)).toBeUndefined();
});
