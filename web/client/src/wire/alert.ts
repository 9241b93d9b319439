import { epoch, price, seq, type Alert, type AlertCondition, type AlertFire, type Epoch, type Seq, type StockSymbol, type TradePosition } from "../model";
import { countField, FieldError, idOf, isJsonObject, numberField, optionalCountField, symbolField, textField, textListField, type JsonObject } from "./fields";
import { timeField } from "./time";

/** An alert that is in force. */
export interface AlertEntry {
  readonly id: string;
  readonly symbol: StockSymbol;
  /** The price is beyond the level already: the alert waits for the next crossing. */
  readonly isBeyond: boolean;
  /** The number of the symbol's last trade that it was evaluated with. */
  readonly seq: Seq | undefined;
}

/** A control message about alerts. */
export type AlertControl =
  /** The answer to a command: all alerts of the session. */
  | { readonly control: "alerts"; readonly id: number | undefined; readonly epoch: Epoch | undefined; readonly list: readonly AlertEntry[] }
  | { readonly control: "fired"; readonly fire: AlertFire }
  /** These alerts were not evaluated for these trades of their symbol. It is a gap on the wire, and none of the trades' stream. */
  | { readonly control: "unevaluated"; readonly alerts: readonly string[]; readonly symbol: StockSymbol; readonly from: Seq; readonly to: Seq };

/** Decodes a control message about alerts; undefined if it is of another kind. */
export function readAlertControl(kind: string, item: JsonObject): AlertControl | undefined {
  switch (kind) {
    case "alerts":
      return { control: "alerts", id: idOf(item), epoch: item["epoch"] === undefined ? undefined : epoch(textField(item, "epoch")), list: readList(item) };
    case "gap":
      return item["alerts"] === undefined ? undefined : readUnevaluated(item);
    case "a":
      return { control: "fired", fire: readFire(item) };
    default:
      return undefined;
  }
}

function readUnevaluated(item: JsonObject): AlertControl {
  return { control: "unevaluated", alerts: textListField(item, "alerts"), symbol: symbolField(item, "S"), from: seq(countField(item, "from")), to: seq(countField(item, "to")) };
}

function readList({ list }: JsonObject): readonly AlertEntry[] {
  if (!Array.isArray(list)) throw new FieldError("list", "a list");
  return list.map((entry: unknown) => {
    if (!isJsonObject(entry)) throw new FieldError("list", "a list of objects");
    const number = optionalCountField(entry, "sq");
    return { id: textField(entry, "id"), symbol: symbolField(entry, "S"), isBeyond: entry["now"] === true, seq: number === undefined ? undefined : seq(number) };
  });
}

function readFire(item: JsonObject): AlertFire {
  return {
    id: textField(item, "id"),
    symbol: symbolField(item, "S"),
    price: price(numberField(item, "p")),
    seq: seq(countField(item, "sq")),
    time: timeField(item, "t"),
    merged: optionalCountField(item, "cf") ?? 0,
  };
}

/** Sets an alert, or replaces the one of its id. `since` is up to where the client knows that it has fired. */
export function setAlert(id: number, alert: Alert, since: TradePosition | undefined): string {
  const x = { id, ...(since === undefined ? {} : { since: { epoch: since.epoch, sq: since.seq } }) };
  return JSON.stringify({ action: "alert", S: alert.symbol, id: alert.id, when: conditionText(alert.condition), once: alert.once, x });
}

export const removeAlerts = (id: number, ids: readonly string[]): string => JSON.stringify({ action: "unalert", ids, x: { id } });

/** `p>=190.5`, `chg<=-5%` */
export function conditionText({ measure, direction, level }: AlertCondition): string {
  const [name, unit] = measure === "price" ? ["p", ""] : ["chg", "%"];
  return `${name}${direction === "rise" ? ">=" : "<="}${decimal(level)}${unit}`;
}

/** A number without exponent, with at most nine decimals, which is all that the server takes. */
const decimal = (value: number): string => value.toFixed(9).replace(/\.?0+$/, "");
