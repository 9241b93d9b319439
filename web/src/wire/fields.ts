import { asSymbol, type StockSymbol } from "../model";

/** An object as it came: keys known, values not. */
export type Json = Readonly<Record<string, unknown>>;

/** A field that is missing or of the wrong type. Caught where the object is read; never leaves the wire room. */
export class BadField extends Error {
  constructor(key: string, expected: string) {
    super(`field \`${key}\` is not ${expected}`);
  }
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A finite number. */
export function numberAt(object: Json, key: string): number {
  const value = object[key];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new BadField(key, "a number");
  return value;
}

/** A whole number from 0. */
export function countAt(object: Json, key: string): number {
  const value = numberAt(object, key);
  if (!Number.isSafeInteger(value) || value < 0) throw new BadField(key, "a whole number from 0");
  return value;
}

/** A whole number from 0, or undefined when the field is absent. */
export function optionalCountAt(object: Json, key: string): number | undefined {
  return object[key] === undefined ? undefined : countAt(object, key);
}

export function textAt(object: Json, key: string): string {
  const value = object[key];
  if (typeof value !== "string") throw new BadField(key, "a string");
  return value;
}

export function symbolAt(object: Json, key: string): StockSymbol {
  const symbol = asSymbol(textAt(object, key));
  if (symbol === undefined) throw new BadField(key, "a symbol");
  return symbol;
}

/** A list of strings; an absent one counts as empty. */
export function textsAt(object: Json, key: string): readonly string[] {
  const value = object[key] ?? [];
  if (!Array.isArray(value)) throw new BadField(key, "a list");
  return value.map((item: unknown) => {
    if (typeof item !== "string") throw new BadField(key, "a list of strings");
    return item;
  });
}
