import { expect, test } from "vitest";
import { MARK_WEIGHTS, markLabel, MarkPicker, markWeight, TimeFormat, TimeZone, UTC } from ".";

const times = new TimeFormat(UTC, "en");
const at = (text: string) => Date.parse(text.includes("T") ? `${text}Z` : `2026-11-30T${text}Z`);

/** What the marks of these bars say, of those that have at least this weight. */
function labels(bars: readonly string[], least: number): readonly string[] {
  return bars.flatMap((bar, index) => {
    const before = bars[index - 1];
    const weight = before === undefined ? 0 : markWeight(at(bar), at(before));
    return weight < least ? [] : [markLabel(weight, at(bar), times, "intraday")];
  });
}

const every = (fromMs: number, stepMs: number, count: number) => Array.from({ length: count }, (_, index) => new Date(fromMs + index * stepMs).toISOString().slice(0, -1));
const weightOf = (label: string) => markWeight(at(label), at(label) - 1_000);

test.each([
  ["15:26:00", ["15:26", "15:27"]],
  ["15:26:30", ["15:26:30", "15:27", "15:27:30"]],
  ["15:26:15", ["15:26:15", "15:26:30", "15:26:45", "15:27", "15:27:15", "15:27:30"]],
])("seconds have marks at round times: of the weight of %s", (like, expected) => {
  const bars = every(at("15:26:11"), 1_000, 80);
  const from = like === "15:26:00" ? every(at("15:25:51"), 1_000, 80) : bars;

  expect(labels(from, weightOf(like))).toEqual(expected);
});

test("a round time without a bar is marked at the next one, unless it is long ago", () => {
  expect(labels(["15:26:11", "15:26:17", "15:26:31", "15:26:46"], weightOf("15:26:15"))).toEqual(["15:26:15", "15:26:30", "15:26:45"]);
  expect(labels(["15:07", "15:27"].map((time) => `${time}:00`), weightOf("15:05:00"))).toEqual([]);
});

test("the first bar of a day has its date, whenever trading begins", () => {
  const bars = ["2026-11-27T15:59", "2026-11-27T16:00", "2026-11-30T09:31", "2026-12-01T04:00"].map((time) => `${time}:00`);

  expect(labels(bars, MARK_WEIGHTS.day)).toEqual(["Nov 30", "Dec 1"]);
});

test("days of daily bars are marked by month and year, and by Mondays before other days", () => {
  const days = ["2025-12-30", "2025-12-31", "2026-01-02", "2026-01-05", "2026-01-06", "2026-02-02", "2026-04-01"].map((day) => `${day}T05:00:00`);
  const weights = days.slice(1).map((day, index) => markWeight(at(day), at(days[index] ?? "")));

  const { day, week, month, quarter, year } = MARK_WEIGHTS;
  expect(weights).toEqual([day, year, week, day, month, quarter]);
  expect(weights.map((weight, index) => markLabel(weight, at(days[index + 1] ?? ""), times, "daily"))).toEqual(["Dec 31", "2026", "Jan 5", "Jan 6", "Feb", "Apr"]);
});

test("a round time is one of the zone's clocks", () => {
  const kathmandu = new TimeFormat(new TimeZone("Asia/Kathmandu"), "en");
  const hour = at("10:15:00");

  const weight = markWeight(kathmandu.zone.localOf(hour), kathmandu.zone.localOf(hour - 60_000));

  expect(markLabel(weight, hour, kathmandu, "intraday")).toBe("16:00");
  expect(weight).toBe(weightOf("16:00:00"));
});

test("each step fits into the next", () => {
  const weights = ["00:00:01", "00:00:05", "00:00:15", "00:00:30", "00:01:00", "00:05:00", "00:15:00", "00:30:00", "01:00:00", "03:00:00", "06:00:00", "12:00:00"].map(weightOf);

  expect(weights).toEqual(weights.map((_, index) => index + 1));
});

/** What the marks of bars say that are picked with this distance. */
function picked(bars: readonly string[], intervalMs: number, distance: number, picker = new MarkPicker()): readonly string[] {
  const marks = picker.pick(bars.map((bar) => ({ time: at(bar) })), { intervalMs, zone: UTC, distance });
  return marks.map(({ time, weight }) => markLabel(weight, time, times, intervalMs < 86_400_000 ? "intraday" : "daily"));
}

test.each([
  [1, ["15:26:40", "15:26:41", "15:26:42", "15:26:43"]],
  [2, ["15:26:40", "15:26:45", "15:26:50", "15:26:55"]],
  [6, ["15:26:45", "15:27", "15:27:15", "15:27:30"]],
  [16, ["15:27", "15:27:30", "15:28", "15:28:30"]],
  [61, ["15:30", "15:35", "15:40", "15:45"]],
])("marks of seconds that need %d bars are round and equally distant", (distance, first) => {
  expect(picked(every(at("15:26:40"), 1_000, 1_200), 1_000, distance).slice(0, 4)).toEqual(first);
});

test("the newest bars have no mark of a smaller step, though nothing is beside them", () => {
  expect(picked(every(at("15:26:00"), 1_000, 13), 1_000, 11)).toEqual(["15:26"]);
});

test("days stand between hours, and sessions join without a gap", () => {
  const sessions = ["2026-11-27", "2026-11-30", "2026-12-01"].flatMap((day) => every(at(`${day}T14:30:00`), 900_000, 26));

  expect(picked(sessions, 900_000, 9)).toEqual(["15:00", "18:00", "Nov 30", "18:00", "Dec 1", "18:00"]);
  expect(picked(sessions, 900_000, 30)).toEqual(["Dec 1"]);
});

test("daily bars are marked by weeks, months and years as there is room", () => {
  const days = every(at("2025-11-03T05:00:00"), 86_400_000, 200).filter((day) => new Date(`${day}Z`).getUTCDay() % 6 !== 0);

  expect(picked(days, 86_400_000, 5).slice(0, 9)).toEqual(["Nov 3", "Nov 10", "Nov 17", "Nov 24", "Dec", "Dec 8", "Dec 15", "Dec 22", "2026"]);
  expect(picked(days, 86_400_000, 10).slice(0, 6)).toEqual(["Nov 3", "Nov 17", "Dec", "Dec 15", "2026", "Jan 19"]);
  expect(picked(days, 86_400_000, 12).filter((mark) => !mark.includes(" "))).toEqual(["Dec", "2026", "Feb", "Mar", "Apr", "May"]);
});

test("marks stay when bars are added, on either side", () => {
  const picker = new MarkPicker();
  const bars = every(at("15:20:00"), 1_000, 900);
  const before = picked(bars.slice(300, 600), 1_000, 11, picker);

  expect(picked(bars.slice(300), 1_000, 11, picker).slice(0, before.length)).toEqual(before);
  expect(picked(bars, 1_000, 11, picker)).toEqual(expect.arrayContaining([...before]));
  expect(picked(bars, 1_000, 11, picker)).toEqual(picked(bars, 1_000, 11));
  const sparse = bars.filter((_, second) => second % 3 > 0);
  picked(sparse, 1_000, 11, picker);
  expect(picked([...sparse.slice(0, 40), bars[60] ?? "", ...sparse.slice(40)], 1_000, 11, picker)).toEqual(picked([...sparse.slice(0, 40), bars[60] ?? "", ...sparse.slice(40)], 1_000, 11));
});
