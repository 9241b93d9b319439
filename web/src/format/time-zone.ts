/** Offsets are looked up per quarter of an hour, at whose ends alone clocks change. */
const QUARTER_MS = 900_000;

/** A time zone: what its clocks are ahead of UTC at any time. */
export class TimeZone {
  /** The name in the IANA time zone database. */
  readonly name: string;
  private readonly offsets = new Map<number, number>();
  private clock: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The time on the zone's clocks, as if it were one of UTC. */
  localOf(ms: number): number {
    if (this.name === "UTC") return ms;
    const quarter = Math.floor(ms / QUARTER_MS);
    const offset = this.offsets.get(quarter) ?? this.offsetAt(quarter * QUARTER_MS);
    this.offsets.set(quarter, offset);
    return ms + offset;
  }

  private offsetAt(ms: number): number {
    this.clock ??= new Intl.DateTimeFormat("en-US", { timeZone: this.name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" });
    const parts = new Map(this.clock.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - ms;
  }
}

export const UTC = new TimeZone("UTC");
