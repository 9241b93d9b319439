import { isJsonObject, numberOf, textOf, timeOf } from "../../source";

/** What a client was refused, so many times within a minute. */
export interface Refusal {
  readonly time: number;
  readonly kind: string;
  readonly reason: string;
  readonly address: string;
  readonly key: string | undefined;
  readonly count: number;
}

/** The answer of `GET /admin/api/refusals`, newest first. */
export function readRefusals(body: unknown): readonly Refusal[] | undefined {
  return isJsonObject(body) && Array.isArray(body["refusals"]) ? body["refusals"].flatMap((refusal) => readRefusal(refusal) ?? []) : undefined;
}

function readRefusal(refusal: unknown): Refusal | undefined {
  if (!isJsonObject(refusal)) return undefined;
  const [time, reason] = [timeOf(refusal["time"]), textOf(refusal["reason"])];
  if (time === undefined || reason === undefined) return undefined;
  return {
    time,
    reason,
    kind: textOf(refusal["kind"]) ?? "",
    address: textOf(refusal["address"]) ?? "",
    key: textOf(refusal["key"]),
    count: numberOf(refusal["count"]) ?? 1,
  };
}
