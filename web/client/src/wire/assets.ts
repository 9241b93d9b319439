import { asSymbol, type Instrument } from "../model";
import { isJsonObject } from "./fields";

/** Decodes the response of `GET /v2/assets`, skipping invalid entries; undefined if it is not a list. */
export function readAssets(body: unknown): readonly Instrument[] | undefined {
  if (!Array.isArray(body)) return undefined;
  return body.flatMap((item: unknown) => readAsset(item) ?? []);
}

function readAsset(item: unknown): Instrument | undefined {
  if (!isJsonObject(item) || typeof item["symbol"] !== "string") return undefined;
  const symbol = asSymbol(item["symbol"]);
  if (symbol === undefined) return undefined;
  return { symbol, name: textOr(item["name"], symbol), exchange: textOr(item["exchange"], "") };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
