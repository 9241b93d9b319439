import { millis, type Millis } from "../model";
import { BadField, textAt, type Json } from "./fields";

/** RFC 3339 in UTC with up to nine fraction digits; a bar's time may come without seconds' fraction. */
const SHAPE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z$/;

/** The second that was read last: thousands of events share it, and need not each have it parsed. */
let last: { readonly text: string; readonly ms: number } = { text: "1970-01-01T00:00:00", ms: 0 };

/**
 * Reads a time, keeping the fraction down to what a double holds (about a quarter of a microsecond).
 * `Date.parse` alone would cut it to milliseconds, too coarse to show a latency on loopback.
 */
export function timeAt(object: Json, key: string): Millis {
  const match = SHAPE.exec(textAt(object, key));
  const text = match?.[1] ?? "";
  if (text !== last.text) last = { text, ms: Date.parse(`${text}Z`) };
  if (Number.isNaN(last.ms)) throw new BadField(key, "a time");
  return millis(last.ms + Number(match?.[2] ?? 0) * 1000);
}
