/** The start of regular trading in New York. */
const OPENING = "09:30";

/** Both ends of each session are at multiples of this. */
const HALF_HOUR_MS = 1_800_000;

/** Made when it is first used, because that is slow. */
let clock: Intl.DateTimeFormat | undefined;

const makeClock = () =>
  new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: "America/New_York", hourCycle: "h23" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  });

/**
 * Names the session in which a time is.
 *
 * A session begins at the opening of the New York Stock Exchange, at 9:30. What is before it on that day, from midnight,
 * is a session of its own: trading before the opening has its own prices.
 */
export class Sessions {
  /** The half hour that was asked for last, because bars come in order and the calendar is slow. */
  private halfHour: number | undefined;
  private session = "";

  sessionOf(ms: number): string {
    const halfHour = Math.floor(ms / HALF_HOUR_MS);
    if (halfHour !== this.halfHour) {
      this.halfHour = halfHour;
      const { year, month, day, hour, minute } = Object.fromEntries((clock ??= makeClock()).formatToParts(ms).map(({ type, value }) => [type, value]));
      const isOpen = `${hour ?? ""}:${minute ?? ""}` >= OPENING;
      this.session = `${year ?? ""}-${month ?? ""}-${day ?? ""} ${isOpen ? "regular" : "before"}`;
    }
    return this.session;
  }
}
