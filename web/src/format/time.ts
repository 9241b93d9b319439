/** Times of day as the chart's axis shows them, in the viewer's own zone. */

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `14:30` */
export const formatMinute = (ms: number): string => minutes.format(ms);

/** `14:30:05` */
export const formatSecond = (ms: number): string => seconds.format(ms);
