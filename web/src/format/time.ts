import { UTC, type TimeZone } from "./time-zone";

const HALF_DAY_MS = 43_200_000;

const digits = (value: number, places = 2): string => String(value).padStart(places, "0");

/** Formats times in one time zone, and dates in one language. */
export class TimeFormat {
  readonly zone: TimeZone;
  private readonly language: string;
  private readonly dates = new Map<string, Intl.DateTimeFormat>();

  /** The language is a BCP 47 tag. */
  constructor(zone: TimeZone, language: string) {
    this.zone = zone;
    this.language = language;
  }

  /** `14:30` */
  minute(ms: number): string {
    const time = this.local(ms);
    return `${digits(time.getUTCHours())}:${digits(time.getUTCMinutes())}`;
  }

  /** `14:30:05` */
  second(ms: number): string {
    return `${this.minute(ms)}:${digits(this.local(ms).getUTCSeconds())}`;
  }

  /** `14:30:05.123` */
  millis(ms: number): string {
    return `${this.second(ms)}.${digits(this.local(ms).getUTCMilliseconds(), 3)}`;
  }

  /** `14:30:05`, with the day before it if the time is more than half a day before now. */
  moment(ms: number, now: number): string {
    return now - ms > HALF_DAY_MS ? `${this.isoDay(ms)} ${this.second(ms)}` : this.second(ms);
  }

  /** `14:30`, with the day before it if that is another than the day of now. */
  dayMinute(ms: number, now: number): string {
    const day = this.isoDay(ms);
    return day === this.isoDay(now) ? this.minute(ms) : `${day} ${this.minute(ms)}`;
  }

  /** `Sep 1` */
  day(ms: number): string {
    return this.date(ms, { month: "short", day: "numeric" });
  }

  /** `Sep 1, 2026` */
  fullDay(ms: number): string {
    return this.date(ms, { year: "numeric", month: "short", day: "numeric" });
  }

  /** `Sep` */
  month(ms: number): string {
    return this.date(ms, { month: "short" });
  }

  /** `2026` */
  year(ms: number): string {
    return this.date(ms, { year: "numeric" });
  }

  /** The short name of the zone, as it is then: `EST`, `GMT+8`. */
  zoneName(ms: number): string {
    const parts = this.formatter({ timeZone: this.zone.name, timeZoneName: "short" }).formatToParts(ms);
    return parts.find(({ type }) => type === "timeZoneName")?.value ?? this.zone.name;
  }

  private local(ms: number): Date {
    return new Date(this.zone.localOf(ms));
  }

  /** `2026-09-01` */
  private isoDay(ms: number): string {
    return this.local(ms).toISOString().slice(0, 10);
  }

  private date(ms: number, parts: Intl.DateTimeFormatOptions): string {
    return this.formatter({ ...parts, timeZone: UTC.name }).format(this.zone.localOf(ms));
  }

  private formatter(parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = JSON.stringify(parts);
    const formatter = this.dates.get(key) ?? new Intl.DateTimeFormat(this.language, parts);
    this.dates.set(key, formatter);
    return formatter;
  }
}
