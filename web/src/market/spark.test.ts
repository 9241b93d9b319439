import { expect, test } from "vitest";
import { ohlc, START } from "../../fake/builders";
import { millis, price } from "../model";
import { Spark, SPARK_POINTS, SPARK_STEP_MS } from "./spark";

test("a sparkline has one point per step, the latest price of it", () => {
  const spark = new Spark();
  spark.add(millis(START), price(10));
  spark.add(millis(START + 1), price(20));
  spark.add(millis(START + SPARK_STEP_MS), price(10));

  expect(spark.line(59, 10)).toBe("58.0,0.0 59.0,10.0");
});

test("history is inserted before live points and does not replace them", () => {
  const spark = new Spark();
  spark.add(millis(START), price(10));

  spark.remember([ohlc(-SPARK_STEP_MS, 1, 1, 1, 5, 1), ohlc(0, 1, 1, 1, 99, 1)]);

  expect(spark.rise).toBe(5);
});

test("a sparkline has a maximum number of points", () => {
  const spark = new Spark();
  for (let step = 0; step < 500; step += 1) spark.add(millis(START + step * SPARK_STEP_MS), price(step));

  expect(spark.line(100, 10).split(" ")).toHaveLength(SPARK_POINTS);
});

test("a constant price is a line through the middle", () => {
  const spark = new Spark();
  spark.add(millis(START), price(10));

  expect(spark.line(59, 10)).toBe("59.0,5.0");
});
