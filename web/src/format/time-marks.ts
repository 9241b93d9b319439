import type { TimeFormat } from "./time";
import type { TimeZone } from "./time-zone";

/**
 * The marks of a time axis: which bars may have one, which are preferred, and what it says.
 *
 * A mark stands at the first bar after a round time. The rounder the time is, the greater is its weight. Each step within a
 * day fits into the next one, so that the marks of a weight and those above it are at equal distances.
 */
export const MARK_WEIGHTS = { none: 0, day: 20, week: 21, month: 30, quarter: 31, year: 40 } as const;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The steps within a day, by their weight less 1. */
const STEPS_MS = [
  ...[1, 5, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 5, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 3, 6, 12].map((count) => count * HOUR_MS),
];

/** Weights below this have seconds in their text. */
const WHOLE_MINUTE = STEPS_MS.indexOf(MINUTE_MS) + 1;

/** January 5, 1970 was a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/**
 * The weight of a mark at a bar after another one, both by the clocks of a zone as if they were of UTC. The first bar of a
 * day has that of its day, whenever trading begins. Within a day a bar has none of a round time that is long ago.
 */
export function markWeight(local: number, previous: number): number {
  const [date, before] = [new Date(local), new Date(previous)];
  if (date.getUTCFullYear() !== before.getUTCFullYear()) return MARK_WEIGHTS.year;
  const [month, monthBefore] = [date.getUTCMonth(), before.getUTCMonth()];
  if (month !== monthBefore) return Math.floor(month / 3) === Math.floor(monthBefore / 3) ? MARK_WEIGHTS.month : MARK_WEIGHTS.quarter;
  const crosses = (stepMs: number, origin = 0) => Math.floor((local - origin) / stepMs) !== Math.floor((previous - origin) / stepMs);
  if (crosses(7 * DAY_MS, FIRST_MONDAY_MS)) return MARK_WEIGHTS.week;
  if (crosses(DAY_MS)) return MARK_WEIGHTS.day;
  let weight = STEPS_MS.length;
  for (let stepMs = STEPS_MS[weight - 1]; stepMs !== undefined; stepMs = STEPS_MS[weight - 1]) {
    if (crosses(stepMs) && local % stepMs < stepMs / 3) break;
    weight -= 1;
  }
  return weight;
}

/** What a mark of this weight says at a bar: the round time, or the date. */
export function markLabel(weight: number, ms: number, times: TimeFormat, bars: "daily" | "intraday"): string {
  if (weight >= MARK_WEIGHTS.day) {
    if (bars === "intraday" || weight < MARK_WEIGHTS.month) return times.day(ms);
    return weight < MARK_WEIGHTS.year ? times.month(ms) : times.year(ms);
  }
  const round = ms - (times.zone.localOf(ms) % (STEPS_MS[weight - 1] ?? SECOND_MS));
  return weight < WHOLE_MINUTE ? times.second(round) : times.minute(round);
}

/** A bar that has a mark. */
export interface TimeMark {
  /** The start of the bar. */
  readonly time: number;
  readonly weight: number;
}

/** What the marks of a chart depend on, apart from its bars. */
export interface MarkChoice {
  /** The length of the bars. */
  readonly intervalMs: number;
  readonly zone: TimeZone;
  /** The smallest distance between two marks, in bars. */
  readonly distance: number;
}

/** The smallest weight of daily bars by the distance up to which it is used. Single Mondays may fill the room within a month. */
const DAYS_OF = [
  [MARK_WEIGHTS.day, 1],
  [MARK_WEIGHTS.week, 21],
  [MARK_WEIGHTS.quarter, 63],
] as const;

/**
 * Picks the marks of a series of bars. They are picked of all bars and not of those in sight, so that scrolling moves
 * marks and changes none; what is computed for a bar is kept.
 */
export class MarkPicker {
  private weights: number[] = [];
  /** The first and the last bar that were weighed. */
  private ends: readonly (number | undefined)[] = [];
  private choice: MarkChoice | undefined;
  private marks: readonly TimeMark[] = [];

  /** The marks of bars, oldest first. */
  pick(bars: readonly { readonly time: number }[], choice: MarkChoice): readonly TimeMark[] {
    const { intervalMs, zone, distance } = choice;
    const known = this.weights.length;
    const isSameAxis = this.choice?.intervalMs === intervalMs && this.choice.zone === zone && this.ends[0] === bars[0]?.time && this.ends[1] === bars[known - 1]?.time;
    if (isSameAxis && this.choice?.distance === distance && known === bars.length) return this.marks;
    if (!isSameAxis) this.weights = [];
    this.choice = choice;
    this.ends = [bars[0]?.time, bars.at(-1)?.time];
    for (let at = this.weights.length; at < bars.length; at += 1) {
      const time = bars[at]?.time ?? 0;
      const previous = bars[at - 1]?.time ?? time - intervalMs;
      this.weights.push(markWeight(zone.localOf(time), zone.localOf(previous)));
    }
    const indices = marksThatFit(this.weights, leastWeight(intervalMs, distance), distance);
    this.marks = indices.map((at) => ({ time: bars[at]?.time ?? 0, weight: this.weights[at] ?? 0 }));
    return this.marks;
  }
}

/** The smallest weight of which marks have this distance, in bars of a length. */
function leastWeight(intervalMs: number, distance: number): number {
  const step = STEPS_MS.findIndex((stepMs) => stepMs >= distance * intervalMs && stepMs > intervalMs / 2);
  if (step >= 0) return step + 1;
  const barsOfDay = Math.max(1, DAY_MS / intervalMs);
  return DAYS_OF.find(([, days]) => days * barsOfDay >= distance)?.[0] ?? MARK_WEIGHTS.year;
}

/** The indices of the bars of at least this weight that have the distance from each other, the greatest weights first. */
function marksThatFit(weights: readonly number[], least: number, distance: number): readonly number[] {
  const byWeight = new Map<number, number[]>();
  weights.forEach((weight, at) => {
    if (weight < least) return;
    const list = byWeight.get(weight);
    if (list === undefined) byWeight.set(weight, [at]);
    else list.push(at);
  });
  let kept: readonly number[] = [];
  for (const weight of [...byWeight.keys()].sort((a, b) => b - a)) kept = filled(kept, byWeight.get(weight) ?? [], distance);
  return kept;
}

/** Both lists in order, without those of the second that are too near to others. */
function filled(kept: readonly number[], candidates: readonly number[], distance: number): readonly number[] {
  const merged: number[] = [];
  let next = 0;
  for (const at of candidates) {
    for (let one = kept[next]; one !== undefined && one < at; one = kept[next]) {
      merged.push(one);
      next += 1;
    }
    if (at - (merged.at(-1) ?? -Infinity) >= distance && (kept[next] ?? Infinity) - at >= distance) merged.push(at);
  }
  return [...merged, ...kept.slice(next)];
}
