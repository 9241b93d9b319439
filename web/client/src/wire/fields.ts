import { asSymbol, type StockSymbol } from "../model";

/** A decoded JSON object whose values are not validated yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A missing field or one of the wrong type. Caught in `readFrame` and `readPage`; never thrown out of this module. */
export class FieldError extends Error {
  constructor(key: string, expected: string) {
    super(`field \`${key}\` is not ${expected}`);
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A finite number. */
export function numberField(object: JsonObject, key: string): number {
  const value = object[key];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new FieldError(key, "a number");
  return value;
}

/** A non-negative integer. */
export function countField(object: JsonObject, key: string): number {
  const value = numberField(object, key);
  if (!Number.isSafeInteger(value) || value < 0) throw new FieldError(key, "a non-negative integer");
  return value;
}

/** What `read` reads of a field, or undefined if the field is absent. */
export function optional<T>(object: JsonObject, key: string, read: (object: JsonObject, key: string) => T): T | undefined {
  return object[key] === undefined ? undefined : read(object, key);
}

/** A non-negative integer, or undefined if the field is absent. */
export const optionalCountField = (object: JsonObject, key: string): number | undefined => optional(object, key, countField);

export function textField(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value !== "string") throw new FieldError(key, "a string");
  return value;
}

export function symbolField(object: JsonObject, key: string): StockSymbol {
  const symbol = asSymbol(textField(object, key));
  if (symbol === undefined) throw new FieldError(key, "a symbol");
  return symbol;
}

/** A letter of the consolidated tape; empty if the field is absent, or a space, which stands for none. */
export function letterField(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value.trim() : "";
}

/** A trade's sale conditions, and whether `Z` is among them: it was reported late, out of sequence. */
export function readConditions({ c }: JsonObject): { readonly conditions: string; readonly isLate: boolean } {
  const letters: readonly unknown[] = Array.isArray(c) ? c : [];
  const conditions = letters.filter((letter) => typeof letter === "string" && letter !== " ").join("");
  return { conditions, isLate: conditions.includes("Z") };
}

/** A list of strings; empty if the field is absent. */
export function textListField(object: JsonObject, key: string): readonly string[] {
  const value = object[key] ?? [];
  if (!Array.isArray(value)) throw new FieldError(key, "a list");
  return value.map((item: unknown) => {
    if (typeof item !== "string") throw new FieldError(key, "a list of strings");
    return item;
  });
}

/** The id of the command that an object answers, from its `x`. */
export function idOf({ x }: JsonObject): number | undefined {
  return isJsonObject(x) && typeof x["id"] === "number" ? x["id"] : undefined;
}
