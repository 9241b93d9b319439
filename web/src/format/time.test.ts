import { expect, test } from "vitest";
import { TimeFormat, TimeZone, UTC } from ".";

const newYork = new TimeFormat(new TimeZone("America/New_York"), "en");

test("a time of day is that of the zone and zero-padded", () => {
  const time = Date.UTC(2026, 10, 20, 14, 5, 7, 45) + 0.9;

  expect([newYork.minute(time), newYork.second(time), newYork.millis(time)]).toEqual(["09:05", "09:05:07", "09:05:07.045"]);
  expect(new TimeFormat(UTC, "en").second(time)).toBe("14:05:07");
});

test("clocks change where they do", () => {
  const summerEnds = Date.UTC(2026, 10, 1, 6);

  expect([newYork.minute(summerEnds - 60_000), newYork.minute(summerEnds)]).toEqual(["01:59", "01:00"]);
  expect([newYork.zoneName(summerEnds - 60_000), newYork.zoneName(summerEnds)]).toEqual(["EDT", "EST"]);
  expect(new TimeFormat(new TimeZone("Asia/Kathmandu"), "en").minute(0)).toBe("05:30");
  expect(new TimeFormat(new TimeZone("Asia/Kathmandu"), "en").minute(summerEnds)).toBe("11:45");
});

test("a day is that of the zone, in the language", () => {
  const late = Date.UTC(2026, 8, 2, 3);

  expect([newYork.day(late), newYork.fullDay(late), newYork.month(late), newYork.year(late)]).toEqual(["Sep 1", "Sep 1, 2026", "Sep", "2026"]);
  const chinese = new TimeFormat(newYork.zone, "zh-CN");
  expect([chinese.day(late), chinese.fullDay(late), chinese.month(late), chinese.year(late)]).toEqual(["9月1日", "2026年9月1日", "9月", "2026年"]);
});

test("a moment of before the last half day has its date, in the zone", () => {
  const now = Date.UTC(2026, 10, 20, 16);

  expect(newYork.moment(now - 1_000, now)).toBe("10:59:59");
  expect(newYork.moment(now - 12 * 3_600_000 - 1_000, now)).toBe("2026-11-19 22:59:59");
});
