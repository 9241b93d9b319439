import { expect, test } from "vitest";
import { dailyBar, ohlc, START, trade } from "../../fake/builders";
import { millis } from "@tapecast/client";
import { HISTOGRAM_BARS, Meter } from ".";

test("a meter measures objects per second, and latency to 5%", () => {
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

test("a meter forgets objects older than its window and ignores the times of bars", () => {
  const meter = new Meter();
  meter.count(trade(0, 10), millis(START));

  expect(meter.read(millis(START + 60_000))).toMatchObject({ perSecond: 0, p50: undefined, p99: undefined });

  meter.count(dailyBar(ohlc(0, 8, 12, 7, 11, 900)), millis(START + 60_000));
  expect(meter.read(millis(START + 61_000))).toMatchObject({ perSecond: 0.2, p50: undefined });
});

test("the histogram counts every latency in its bar", () => {
  const meter = new Meter();
  for (const ms of [0, 0.5, 20, 20, 60_000]) meter.count(trade(1_000 - ms, 10), millis(START + 1_000));

  const { histogram } = meter.read(millis(START + 2_000));

  expect(histogram).toHaveLength(HISTOGRAM_BARS);
  expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(5);
  expect(histogram.filter((count) => count > 0)).toEqual([1, 1, 2, 1]);
});

test("late trades, replays, and what waited during an interruption do not count as latency", () => {
  const meter = new Meter();
  const now = millis(START + 60_000);
  meter.count({ ...trade(40_000, 10), isLate: true }, now);
  meter.count({ ...trade(0, 10), origin: "replay" }, now);
  meter.interrupted(now);
  meter.count(trade(0, 10), now);

  expect(meter.read(millis(now + 1_000))).toMatchObject({ perSecond: 3, p50: undefined, p99: undefined });

  meter.count(trade(61_999, 10), millis(START + 62_000));
  expect(meter.read(millis(START + 63_000)).p99).toBeLessThan(1.1);
});
