import { expect, test } from "vitest";
import { formatDay, formatMillis, formatMinute, formatSecond } from ".";

test("a time of day is local and zero-padded", () => {
  const time = new Date(2026, 10, 20, 9, 5, 7, 45).getTime() + 0.9;

  expect([formatMinute(time), formatSecond(time), formatMillis(time)]).toEqual(["09:05", "09:05:07", "09:05:07.045"]);
});

test("a day is the market's, in every time zone", () => {
  expect(formatDay(Date.UTC(2026, 10, 20, 5))).toBe("2026-11-20");
});
