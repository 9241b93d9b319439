import { expect, test } from "vitest";
import { boundedPosition, RIGHT_MARGIN } from "./chart-bounds";

const shown = (from: number, to: number, last = 599) => ({ from, to, last });

test("a chart within its bars stays where it is", () => {
  for (const range of [shown(0, 99), shown(200, 299.5), shown(504, 603), shown(500.5, 599.5)]) expect(boundedPosition(range)).toBe(range.to - 599);
});

test("a chart that is dragged beyond its first bar begins with it", () => {
  const position = boundedPosition(shown(-80, 19));

  expect(599 + position - 99).toBe(0);
});

test("a chart that is dragged beyond its last bar keeps three quarters of its width filled", () => {
  expect(boundedPosition(shown(590, 690))).toBe(25);
});

test("bars that do not fill the width are on the right, wherever they are dragged", () => {
  for (const from of [-200, -90, -3, 5]) expect(boundedPosition(shown(from, from + 100, 6))).toBe(RIGHT_MARGIN);
});
