import { millis, type Millis } from "@tapecast/client";

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** A member of this type; undefined if it is absent or of another one. */
export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
export const flagOf = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);

export function timeOf(value: unknown): Millis | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : millis(ms);
}
