import { expect, test } from "vitest";
import { tileLabel } from "./tile-label";

const LIMITS = { least: 9, most: 28 };
/** Widths of the two texts in units of their font size. */
const TEXT = { symbol: 2.8, figure: 3.9 };

test("a large tile has both lines in the largest size", () => {
  expect(tileLabel({ width: 400, height: 300 }, TEXT, LIMITS)).toEqual({ symbol: 28, figure: 22 });
});

test("a narrow tile has smaller lines, which both fit", () => {
  const label = tileLabel({ width: 60, height: 300 }, TEXT, LIMITS);

  expect(label.figure).toBeGreaterThanOrEqual(9);
  expect(Math.max(label.symbol * TEXT.symbol, label.figure * TEXT.figure)).toBeLessThanOrEqual(60);
});

test("a tile that is too low for two lines has the symbol alone", () => {
  expect(tileLabel({ width: 100, height: 17 }, TEXT, LIMITS)).toMatchObject({ figure: 0 });
  expect(tileLabel({ width: 100, height: 17 }, TEXT, LIMITS).symbol).toBeGreaterThanOrEqual(9);
  expect(tileLabel({ width: 30, height: 100 }, { symbol: 0.7, figure: 3.9 }, LIMITS)).toEqual({ symbol: 13, figure: 0 });
});

test("a tile without room for the symbol has no label", () => {
  expect(tileLabel({ width: 20, height: 100 }, TEXT, LIMITS)).toEqual({ symbol: 0, figure: 0 });
  expect(tileLabel({ width: 100, height: 8 }, TEXT, LIMITS)).toEqual({ symbol: 0, figure: 0 });
});

test("a label never exceeds its tile", () => {
  for (let width = 4; width < 200; width += 3) {
    for (let height = 4; height < 120; height += 3) {
      const { symbol, figure } = tileLabel({ width, height }, TEXT, LIMITS);
      expect(Math.max(symbol * TEXT.symbol, figure * TEXT.figure)).toBeLessThanOrEqual(width);
      expect((symbol + figure) * 1.2).toBeLessThanOrEqual(height);
    }
  }
});
