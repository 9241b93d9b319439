import { millis, type Millis } from "../model";
import { BadField, textAt, type Json } from "./fields";

/** RFC 3339 in UTC with up to nine fraction digits; a bar's time may come without seconds' fraction. */
const SHAPE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z$/;

/**
 * Reads a time, keeping the fraction down to what a double holds (about a quarter of a microsecond).
 * `Date.parse` alone would cut it to milliseconds, too coarse to show a latency on loopback.
 */
export function timeAt(object: Json, key: string): Millis {
  const match = SHAPE.exec(textAt(object, key));
  const whole = match?.[1] === undefined ? Number.NaN : Date.parse(`${match[1]}Z`);
  if (Number.isNaN(whole)) throw new BadField(key, "a time");
  return millis(whole + Number(match?.[2] ?? 0) * 1000);
}
