import { expect, test } from "vitest";
import { ohlc, START } from "../../fake/builders";
import { millis, price } from "../model";
import { Sparkline, SPARKLINE_POINTS, SPARKLINE_STEP_MS } from "./sparkline";

test("a sparkline has one point per step, the latest price of it", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));
  sparkline.add(millis(START + 1), price(20));
  sparkline.add(millis(START + SPARKLINE_STEP_MS), price(10));

  expect(sparkline.line(59, 10)).toBe("58.0,0.0 59.0,10.0");
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

  expect(sparkline.line(100, 10).split(" ")).toHaveLength(SPARKLINE_POINTS);
});

test("a constant price is a line through the middle", () => {
  const sparkline = new Sparkline();
  sparkline.add(millis(START), price(10));

  expect(sparkline.line(59, 10)).toBe("59.0,5.0");
});
