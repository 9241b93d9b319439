import { millis, type Millis } from "../model";
import { FieldError, textField, type JsonObject } from "./fields";

/** RFC 3339 in UTC with up to nine fraction digits. Bar times have no fraction. */
const SHAPE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z$/;

/** The last second parsed. Thousands of events share a second, so it is parsed once. */
let last: { readonly text: string; readonly ms: number } = { text: "1970-01-01T00:00:00", ms: 0 };

/**
 * Decodes a time with sub-millisecond precision (a double resolves about a quarter of a microsecond).
 * `Date.parse` alone truncates to milliseconds, which is too coarse to measure latency on loopback.
 */
export function timeField(object: JsonObject, key: string): Millis {
  const match = SHAPE.exec(textField(object, key));
  const text = match?.[1] ?? "";
  if (text !== last.text) last = { text, ms: Date.parse(`${text}Z`) };
  if (Number.isNaN(last.ms)) throw new FieldError(key, "a time");
  return millis(last.ms + Number(match?.[2] ?? 0) * 1000);
}
