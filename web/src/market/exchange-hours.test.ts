import { expect, test } from "vitest";
import { TimeZone } from "../format";
import { EXCHANGE_TIME_ZONE, ExchangeHours } from ".";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Hours of a market whose clocks are those of UTC, so that a test writes New York's times. */
const hours = new ExchangeHours((ms) => ms);
const partAt = (time: string, lengthMs = MINUTE_MS) => hours.partOf(Date.parse(`${time}Z`), lengthMs);

/** The weekdays of a year of which this holds, as `MM-DD`. */
function weekdays(year: number, is: (day: string) => boolean): string {
  const days = Array.from({ length: 366 }, (_, day) => new Date(Date.UTC(year, 0, 1) + day * DAY_MS)).filter((day) => day.getUTCFullYear() === year);
  const names = days.filter((day) => day.getUTCDay() % 6 !== 0).map((day) => day.toISOString().slice(0, 10));
  return names.filter(is).map((name) => name.slice(5)).join(" ");
}

// As the exchange announced them.
test.each([
  [2001, "01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25"],
  [2004, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24"],
  [2007, "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25"],
  [2011, "01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26"],
  [2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"],
  [2018, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25"],
  [2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"],
  [2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"],
  [2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"],
  [2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"],
])("the exchange is closed on its holidays of %d", (year, expected) => {
  expect(weekdays(year, (day) => partAt(`${day}T12:00`) === "closed")).toBe(expected);
});

test.each([
  [1999, "11-26 12-31"],
  [2003, "07-03 11-28 12-24 12-26"],
  [2012, "07-03 11-23 12-24"],
  [2013, "07-03 11-29 12-24"],
  [2021, "11-26"],
  [2025, "07-03 11-28 12-24"],
  [2026, "11-27 12-24"],
])("on half days of %d regular hours end at 13:00", (year, expected) => {
  expect(weekdays(year, (day) => partAt(`${day}T13:00`) === "afterHours")).toBe(expected);
  expect(partAt(`${year}-${expected.slice(0, 5)}T17:00`)).toBe("closed");
});

test("a day has a pre-market, regular hours and after-hours", () => {
  const parts = ["03:59", "04:00", "09:29", "09:30", "15:59", "16:00", "19:59", "20:00"].map((time) => partAt(`2026-11-30T${time}`));

  expect(parts).toEqual(["closed", "preMarket", "preMarket", "regular", "regular", "afterHours", "afterHours", "closed"]);
  expect(partAt("2026-11-28T12:00")).toBe("closed");
});

test("a long bar in which the exchange opens is one of regular hours", () => {
  expect([partAt("2026-11-30T09:00", 60 * MINUTE_MS), partAt("2026-11-30T08:00", 60 * MINUTE_MS), partAt("2026-11-30T09:15", 15 * MINUTE_MS)]).toEqual(["regular", "preMarket", "preMarket"]);
});

test("hours follow New York's change of clocks", () => {
  const zone = new TimeZone(EXCHANGE_TIME_ZONE);
  const newYork = new ExchangeHours((ms) => zone.localOf(ms));
  const opens = (time: string) => [-MINUTE_MS, 0].map((offset) => newYork.partOf(Date.parse(time) + offset, MINUTE_MS));

  expect(opens("2026-03-06T14:30Z")).toEqual(["preMarket", "regular"]);
  expect(opens("2026-03-09T13:30Z")).toEqual(["preMarket", "regular"]);
});

test("a run of trading begins at 9:30 in New York, in summer and in winter, and what is before it at midnight", () => {
  const newYork = new TimeZone(EXCHANGE_TIME_ZONE);
  const inNewYork = new ExchangeHours((ms) => newYork.localOf(ms));
  const runs = (...times: readonly string[]) => {
    const first = inNewYork.runOf(Date.parse(times[0] ?? ""));
    return times.map((time) => inNewYork.runOf(Date.parse(time)) - first);
  };

  expect(runs("2026-11-20T14:29:59.999Z", "2026-11-20T14:30:00Z", "2026-11-21T04:59:59Z", "2026-11-21T05:00:00Z")).toEqual([0, 1, 1, 2]);
  expect(runs("2026-07-01T13:29:00Z", "2026-07-01T13:30:00Z")).toEqual([0, 1]);
});
