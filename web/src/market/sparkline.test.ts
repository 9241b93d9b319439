import { expect, test } from "vitest";
import { ohlc, START } from "../../fake/builders";
import { millis, price } from "@tapecast/client";
import { Sparkline, SPARKLINE_POINTS, SPARKLINE_STEP_MS } from "./sparkline";

test("a sparkline has one point per step, the latest price of it", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));
  sparkline.add(millis(START + 1), price(20));
  sparkline.add(millis(START + SPARKLINE_STEP_MS), price(10));

  expect(sparkline.path(59, 10)).toBe("M58.0,0.0L59.0,10.0");
});

test("history is inserted before live points and does not replace them", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));

  sparkline.mergeHistory([ohlc(-SPARKLINE_STEP_MS, 1, 1, 1, 5, 1), ohlc(0, 1, 1, 1, 99, 1)]);

  expect(sparkline.change).toBe(5);
});

test("a sparkline has a maximum number of points", () => {
  const sparkline = new Sparkline();
  for (let step = 0; step < 500; step += 1) sparkline.add(millis(START + step * SPARKLINE_STEP_MS), price(step));

  expect(sparkline.path(100, 10).split("L")).toHaveLength(SPARKLINE_POINTS);
});

test("a constant price is a line through the middle", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));

  expect(sparkline.path(59, 10)).toBe("M59.0,5.0");
});

test("after an interruption the line breaks until history fills it, and a quiet minute is no interruption", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));
  sparkline.add(millis(START + 4 * SPARKLINE_STEP_MS), price(20));
  expect(sparkline.path(59, 10)).toBe("M55.0,10.0L59.0,0.0");

  sparkline.interrupt();
  sparkline.add(millis(START + 8 * SPARKLINE_STEP_MS), price(20));
  expect(sparkline.path(59, 10)).toBe("M51.0,10.0L55.0,0.0M59.0,0.0");

  sparkline.mergeHistory([ohlc(6 * SPARKLINE_STEP_MS, 1, 1, 1, 15, 1)]);
  expect(sparkline.path(59, 10)).toBe("M51.0,10.0L55.0,0.0L57.0,5.0L59.0,0.0");
});

test("the level of a price is on the scale of the line, or at the edge that it is beyond", () => {
  const sparkline = new Sparkline();
  expect(sparkline.levelOf(price(10), 10)).toBeUndefined();
  sparkline.add(millis(START), price(10));
  expect([9, 10, 11].map((one) => sparkline.levelOf(price(one), 10))).toEqual([10, 5, 0]);

  sparkline.add(millis(START + SPARKLINE_STEP_MS), price(20));

  expect([25, 20, 15, 10, 5].map((one) => sparkline.levelOf(price(one), 10))).toEqual([0, 0, 5, 10, 10]);
});
