import { expect, test } from "vitest";
import { ohlc as bar } from "../../fake/builders";
import { volumeAtPrice } from ".";

test("a bar's volume is spread evenly over its range, apart for bars that rose and that fell", () => {
  const bars = [bar(0, 10, 14, 10, 14, 400), bar(60_000, 14, 14, 12, 12, 100)];

  expect(volumeAtPrice(bars, 4)).toEqual([
    { from: 10, to: 11, rising: 100, falling: 0 },
    { from: 11, to: 12, rising: 100, falling: 0 },
    { from: 12, to: 13, rising: 100, falling: 50 },
    { from: 13, to: 14, rising: 100, falling: 50 },
  ]);
});

test("a bar that covers a part of a row gives it that part", () => {
  const rows = volumeAtPrice([bar(0, 10, 14, 10, 14, 0), bar(60_000, 11, 12.5, 11, 12, 30)], 2);

  expect(rows.map(({ rising }) => rising)).toEqual([20, 10]);
});

test("a bar of one price is in one row, the highest price in the last", () => {
  const rows = volumeAtPrice([bar(0, 10, 10, 10, 10, 7), bar(60_000, 20, 20, 20, 20, 9)], 5);

  expect(rows.map(({ rising }) => rising)).toEqual([7, 0, 0, 0, 9]);
});

test("no volume is lost or added", () => {
  const bars = Array.from({ length: 50 }, (_, at) => bar(at, 10 + Math.sin(at), 11.3 + Math.sin(at), 9.7 + Math.cos(at) / 3, 10 + Math.cos(at), at));
  const total = volumeAtPrice(bars, 24).reduce((sum, { rising, falling }) => sum + rising + falling, 0);

  expect(total).toBeCloseTo((49 * 50) / 2, 6);
});

test("prices that do not move are one row, and no bars are none", () => {
  expect(volumeAtPrice([bar(0, 10, 10, 10, 10, 7)], 24)).toEqual([{ from: 10, to: 10, rising: 7, falling: 0 }]);
  expect(volumeAtPrice([], 24)).toEqual([]);
});
