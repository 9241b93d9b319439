import { expect, test } from "vitest";
import { ohlc, START } from "../../fake/builders";
import { ExchangeHours, sessionBands } from ".";

const HOUR_MS = 3_600_000;
/** The builders' time is 14:30 UTC on a Friday: 09:30 in New York. */
const hours = new ExchangeHours((ms) => ms - 5 * HOUR_MS);
const bars = Array.from({ length: 24 }, (_, hour) => ohlc((hour - 9.5) * HOUR_MS, 1, 1, 1, 1, 1));
const clock = (ms: number) => new Date(ms - 5 * HOUR_MS).toISOString().slice(11, 16);
const bandsBetween = (from: number, to: number) =>
  sessionBands(bars, { from, to, lengthMs: HOUR_MS }, hours).map(({ part, first, last }) => `${part} ${clock(first)} ${clock(last)}`);

test("bars are joined by the part of the session", () => {
  expect(bandsBetween(0, Number.POSITIVE_INFINITY)).toEqual(["closed 00:00 03:00", "preMarket 04:00 08:00", "regular 09:00 15:00", "afterHours 16:00 19:00", "closed 20:00 23:00"]);
});

test("only bars between the two times are joined, both included", () => {
  const [from, to] = [START - 0.5 * HOUR_MS, START + 6.5 * HOUR_MS];

  expect(bandsBetween(from, to)).toEqual(["regular 09:00 15:00", "afterHours 16:00 16:00"]);
  expect(bandsBetween(to + 100 * HOUR_MS, to + 101 * HOUR_MS)).toEqual([]);
});
