/** Formats times of day in the user's time zone and days in the market's. */

const digits = (value: number, places = 2): string => String(value).padStart(places, "0");

/** `14:30` */
export function formatMinute(ms: number): string {
  const time = new Date(ms);
  return `${digits(time.getHours())}:${digits(time.getMinutes())}`;
}

/** `14:30:05` */
export const formatSecond = (ms: number): string => `${formatMinute(ms)}:${digits(new Date(ms).getSeconds())}`;

/** `14:30:05.123` */
export const formatMillis = (ms: number): string => `${formatSecond(ms)}.${digits(new Date(ms).getMilliseconds(), 3)}`;

/** `14:30:05`, with the day before it if the time is more than half a day before now. */
export const formatMoment = (ms: number, now: number): string => {
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
  return now - ms > 43_200_000 ? `${day} ${formatSecond(ms)}` : formatSecond(ms);
};

const clocks = new Map<string, Intl.DateTimeFormat>();

/** `09:30:05` in a time zone of the IANA database. */
export function formatClock(ms: number, timeZone: string): string {
  const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone } as const;
  const clock = clocks.get(timeZone) ?? new Intl.DateTimeFormat("en-GB", parts);
  clocks.set(timeZone, clock);
  return clock.format(ms);
}

/** The short name of a time zone, as it is then: `EST`, `GMT+8`. */
export function formatZone(ms: number, timeZone: string, language: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZone, timeZoneName: "short" }).formatToParts(ms);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? timeZone;
}

/** `2026-11-20`. A daily bar starts at midnight in New York, which is the same date in UTC. */
export const formatDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
