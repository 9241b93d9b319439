import { expect, test } from "vitest";
import { formatClock, formatDay, formatMillis, formatMinute, formatSecond } from ".";

test("a time of day is local and zero-padded", () => {
  const time = new Date(2026, 10, 20, 9, 5, 7, 45).getTime() + 0.9;

  expect([formatMinute(time), formatSecond(time), formatMillis(time)]).toEqual(["09:05", "09:05:07", "09:05:07.045"]);
});

test("a day is the market's, in every time zone", () => {
  expect(formatDay(Date.UTC(2026, 10, 20, 5))).toBe("2026-11-20");
});

test("a clock is that of its time zone, with its summer time", () => {
  const [winter, summer] = [Date.UTC(2026, 10, 20, 14, 30, 5), Date.UTC(2026, 6, 20, 4, 0, 0)];

  expect([formatClock(winter, "America/New_York"), formatClock(summer, "America/New_York")]).toEqual(["09:30:05", "00:00:00"]);
  expect(formatClock(winter, "Asia/Tokyo")).toBe("23:30:05");
});
