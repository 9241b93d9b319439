import { price, type AlertCondition, type Price } from "@tapecast/client";

/** Alerts of one user: as many as the server takes of one session by default. */
export const MAX_ALERTS = 100;

/** The price at which a condition is met; undefined if it depends on a previous close that is not known. */
export function levelPrice({ measure, level }: AlertCondition, previousClose: Price | undefined): Price | undefined {
  if (measure === "price") return price(level);
  return previousClose === undefined ? undefined : price(previousClose * (1 + level / 100));
}

/** The direction in which the price has to go to this level. */
export function directionTo(level: number, last: number | undefined): AlertCondition["direction"] {
  return last !== undefined && level < last ? "fall" : "rise";
}

/** Reads what the user typed: a price above 0, or a change in percent that is possible; undefined otherwise. */
export function readLevel(measure: AlertCondition["measure"], typed: string): number | undefined {
  const text = typed.trim().replace(",", ".").replace("−", "-").replace(/%$/, "");
  const level = /^[+-]?\d+(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  const isPossible = measure === "price" ? level > 0 && level <= 1e9 : level >= -100 && level <= 10_000;
  return isPossible ? level : undefined;
}
