/** Times as the page shows them: times of day in the viewer's own zone, days as the market counts them. */

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const millis = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
/** A bar of a day begins at midnight in New York, which is the same date in UTC. */
const days = new Intl.DateTimeFormat("en-CA", { timeZone: "UTC", year: "numeric", month: "2-digit", day: "2-digit" });

/** `14:30` */
export const formatMinute = (ms: number): string => minutes.format(ms);

/** `14:30:05` */
export const formatSecond = (ms: number): string => seconds.format(ms);

/** `14:30:05.123` */
export const formatMillis = (ms: number): string => millis.format(ms);

/** `2026-11-20` */
export const formatDay = (ms: number): string => days.format(ms);
