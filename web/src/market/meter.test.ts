import { expect, test } from "vitest";
import { dailyBar, ohlc, START, trade } from "../../fake/make";
import { millis } from "../model";
import { Meter } from ".";

test("a meter reads objects per second and latency, to 5%", () => {
  const meter = new Meter();
  for (let number = 0; number < 200; number += 1) {
    const receivedAt = START + number * 10;
    const latency = number < 190 ? 4 : 80;
    meter.count(trade(number * 10 - latency, 10), millis(receivedAt));
  }

  const { perSecond, p50, p99 } = meter.read(millis(START + 2000));

  expect(perSecond).toBe(100);
  expect(p50).toBeGreaterThanOrEqual(4);
  expect(p50).toBeLessThan(4.2);
  expect(p99).toBeGreaterThanOrEqual(80);
  expect(p99).toBeLessThan(84);
});

test("a meter forgets what is older than its window, and a bar's start is no latency", () => {
  const meter = new Meter();
  meter.count(trade(0, 10), millis(START));

  expect(meter.read(millis(START + 60_000))).toEqual({ perSecond: 0, p50: undefined, p99: undefined });

  meter.count(dailyBar(ohlc(0, 8, 12, 7, 11, 900)), millis(START + 60_000));
  expect(meter.read(millis(START + 61_000))).toMatchObject({ perSecond: 0.2, p50: undefined });
});
