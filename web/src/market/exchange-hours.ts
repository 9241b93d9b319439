/** The time zone of the exchange. */
export const EXCHANGE_TIME_ZONE = "America/New_York";

/** What a market with the hours of the New York Stock Exchange does at a time. */
export type SessionPart = "closed" | "preMarket" | "regular" | "afterHours";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Beginnings and ends by New York's clocks, as the time since midnight. */
const PRE_MARKET_MS = 4 * HOUR_MS;
const OPEN_MS = 9 * HOUR_MS + 30 * MINUTE_MS;
const CLOSE_MS = 16 * HOUR_MS;
const HALF_DAY_CLOSE_MS = 13 * HOUR_MS;
/** Trading goes on for this time after the close, on half days too. */
const AFTER_HOURS_MS = 4 * HOUR_MS;

/** Days on which the exchange did not open though no rule says so: mourning for presidents, attacks, a hurricane. */
const CLOSINGS: readonly string[] = [
  ...["2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30"],
  ...["2018-12-05", "2025-01-09"],
];

/** Half days that no rule gives. */
const HALF_DAYS: readonly string[] = ["1999-12-31", "2003-12-26"];

/** The days of a week, as in `Date`. */
const [SUNDAY, MONDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY] = [0, 1, 3, 4, 5, 6] as const;

/**
 * The hours of the New York Stock Exchange, with its holidays and half days, by its rules: those by which the server's
 * `/v2/clock` goes (src/model/exchange_calendar.rs). Right from 1998 on.
 */
export class ExchangeHours {
  private readonly localOf: (ms: number) => number;
  private readonly closes = new Map<number, number | undefined>();

  /** `localOf` gives the time on New York's clocks as if it were one of UTC. */
  constructor(localOf: (ms: number) => number) {
    this.localOf = localOf;
  }

  /** In which part of the session a bar is. One that begins before the open and ends after it is of the regular hours. */
  partOf(start: number, lengthMs: number): SessionPart {
    const local = this.localOf(start);
    const day = Math.floor(local / DAY_MS);
    const close = this.closeOn(day);
    if (close === undefined) return "closed";
    const from = local - day * DAY_MS;
    const overlaps = (begin: number, end: number) => from < end && from + lengthMs > begin;
    if (overlaps(OPEN_MS, close)) return "regular";
    if (overlaps(PRE_MARKET_MS, OPEN_MS)) return "preMarket";
    return overlaps(close, close + AFTER_HOURS_MS) ? "afterHours" : "closed";
  }

  /**
   * The run of trading in which a time is, to which averages that begin at the open belong: from 9:30 to midnight, and from
   * midnight to 9:30, because trading before the open has its own prices. Later runs have higher numbers.
   */
  runOf(ms: number): number {
    const local = this.localOf(ms);
    const day = Math.floor(local / DAY_MS);
    return 2 * day + (local - day * DAY_MS < OPEN_MS ? 0 : 1);
  }

  /** When the exchange closes on a day, counted from 1970; undefined if it does not open. */
  private closeOn(day: number): number | undefined {
    if (!this.closes.has(day)) this.closes.set(day, closeOf(new Date(day * DAY_MS)));
    return this.closes.get(day);
  }
}

function closeOf(date: Date): number | undefined {
  const isWeekend = [SATURDAY, SUNDAY].some((day) => day === date.getUTCDay());
  if (isWeekend || isHoliday(date) || CLOSINGS.includes(nameOf(date))) return undefined;
  return isHalfDay(date) || HALF_DAYS.includes(nameOf(date)) ? HALF_DAY_CLOSE_MS : CLOSE_MS;
}

const nameOf = (date: Date): string => date.toISOString().slice(0, 10);

/** The exchange's rule 7.2: a holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after. */
function isHoliday(date: Date): boolean {
  const [year, month, day, weekday] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay()];
  const isKept = (of: number) => day === of || (weekday === FRIDAY && day === of - 1) || (weekday === MONDAY && day === of + 1);
  const isNth = (nth: number, of: number) => weekday === of && Math.ceil(day / 7) === nth;
  switch (month) {
    case 1:
      // Not on the Friday before: that is the last day of the year's accounts.
      return day === 1 || (day === 2 && weekday === MONDAY) || isNth(3, MONDAY);
    case 2:
      return isNth(3, MONDAY);
    case 3:
    case 4:
      return isGoodFriday(date);
    case 5:
      return weekday === MONDAY && day > 24;
    case 6:
      return year >= 2022 && isKept(19);
    case 7:
      return isKept(4);
    case 9:
      return isNth(1, MONDAY);
    case 11:
      return isNth(4, THURSDAY);
    case 12:
      return isKept(25);
    default:
      return false;
  }
}

/** The day after Thanksgiving, December 24 and July 3; before 2013 Friday July 5 in place of Wednesday July 3. */
function isHalfDay(date: Date): boolean {
  const [year, month, day, weekday] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay()];
  if (month === 11) return weekday === FRIDAY && Math.ceil((day - 1) / 7) === 4;
  if (month === 12) return day === 24;
  if (month !== 7) return false;
  return day === 3 ? year >= 2013 || weekday !== WEDNESDAY : day === 5 && year < 2013 && weekday === FRIDAY;
}

/** The Friday before Easter, which is found by the algorithm of Meeus, Jones and Butcher. */
function isGoodFriday(date: Date): boolean {
  const year = date.getUTCFullYear();
  const [golden, century, ofCentury] = [year % 19, Math.floor(year / 100), year % 100];
  const moon = (19 * golden + century - Math.floor(century / 4) - Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3) + 15) % 30;
  const sunday = (32 + 2 * (century % 4) + 2 * Math.floor(ofCentury / 4) - moon - (ofCentury % 4)) % 7;
  const late = Math.floor((golden + 11 * moon + 22 * sunday) / 451);
  const place = moon + sunday - 7 * late + 114;
  const easter = Date.UTC(year, Math.floor(place / 31) - 1, (place % 31) + 1);
  return date.getTime() === easter - 2 * DAY_MS;
}
