import { asSymbol, epoch, millis, price, seq, type Alert, type AlertCondition, type AlertFire, type Millis, type Price, type Seq, type StockSymbol, type TradePosition } from "@tapecast/client";
import { MAX_ALERTS } from "./level";

/** An alert as it is stored. */
export interface KeptAlert {
  readonly alert: Alert;
  readonly seen: TradePosition | undefined;
}

/** An alert that fired. */
export interface FiredAlert {
  readonly id: string;
  readonly symbol: StockSymbol;
  readonly condition: AlertCondition;
  readonly price: Price;
  readonly seq: Seq;
  readonly time: Millis;
  readonly isSeen: boolean;
}

/** Fired alerts that are kept. */
const MAX_FIRED = 50;

/** What is stored of the alerts: those that are set, those that fired, and how the user is told. */
export class AlertBook {
  private kept: readonly KeptAlert[];
  private all: readonly FiredAlert[];
  /** The marks of symbols, which rows ask for with each price; undefined after a change. */
  private marks: ReadonlyMap<StockSymbol, "fired" | "set"> | undefined;
  /** Whether a sound is played, and whether the system shows a notification. */
  sound: boolean;
  notification: boolean;

  private constructor(kept: readonly KeptAlert[], fired: readonly FiredAlert[], sound: boolean, notification: boolean) {
    this.kept = kept;
    this.all = fired;
    this.sound = sound;
    this.notification = notification;
  }

  /** Reads what `toText` wrote. What is invalid is left out. */
  static fromText(text: string | null): AlertBook {
    const stored = parse(text);
    const list = (key: string) => (Array.isArray(stored[key]) ? (stored[key] as unknown[]).map(record) : []);
    const kept = list("alerts").flatMap((item) => readKept(item) ?? []).slice(0, MAX_ALERTS);
    const fired = list("fired").flatMap((item) => readFired(item) ?? []).slice(0, MAX_FIRED);
    return new AlertBook(kept, fired, stored["sound"] === true, stored["notification"] === true);
  }

  toText(): string {
    const alerts = this.kept.map(({ alert, seen }) => ({ ...alert, seen }));
    return JSON.stringify({ alerts, fired: this.all, sound: this.sound, notification: this.notification });
  }

  get alerts(): readonly KeptAlert[] {
    return this.kept;
  }

  /** Those that fired, the latest first. */
  get fired(): readonly FiredAlert[] {
    return this.all;
  }

  get unseen(): number {
    return this.all.filter(({ isSeen }) => !isSeen).length;
  }

  /** What a symbol's row shows: an alert that fired and was not seen, or that one is set. */
  markOf(symbol: StockSymbol): "fired" | "set" | "none" {
    this.marks ??= new Map([
      ...this.kept.map(({ alert }) => [alert.symbol, "set"] as const),
      ...this.all.filter(({ isSeen }) => !isSeen).map((one) => [one.symbol, "fired"] as const),
    ]);
    return this.marks.get(symbol) ?? "none";
  }

  /** Replaces the alerts that are set. */
  keep(alerts: readonly KeptAlert[]): void {
    this.kept = alerts;
    this.marks = undefined;
  }

  /** Records an alert that fired; false if another tab did. */
  record({ condition }: Alert, { id, symbol, price, seq, time }: AlertFire): boolean {
    if (this.all.some((one) => one.id === id && one.seq === seq && one.time === time)) return false;
    this.setFired([{ id, symbol, condition, price, seq, time, isSeen: false }, ...this.all].slice(0, MAX_FIRED));
    return true;
  }

  markSeen(): void {
    if (this.unseen > 0) this.setFired(this.all.map((one) => ({ ...one, isSeen: true })));
  }

  clearFired(): void {
    this.setFired([]);
  }

  private setFired(fired: readonly FiredAlert[]): void {
    this.all = fired;
    this.marks = undefined;
  }
}

type Stored = Readonly<Record<string, unknown>>;

function parse(text: string | null): Stored {
  try {
    return record(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function record(value: unknown): Stored {
  return typeof value === "object" && value !== null ? (value as Stored) : {};
}

function readCondition(value: unknown): AlertCondition | undefined {
  const { measure, direction, level } = record(value);
  if (measure !== "price" && measure !== "change") return undefined;
  if (direction !== "rise" && direction !== "fall") return undefined;
  return typeof level === "number" && Number.isFinite(level) ? { measure, direction, level } : undefined;
}

function readKept(item: Stored): KeptAlert | undefined {
  const head = readHead(item);
  if (head === undefined) return undefined;
  const seen = record(item["seen"]);
  const isKnown = typeof seen["epoch"] === "string" && typeof seen["seq"] === "number";
  return { alert: { ...head, once: item["once"] !== false }, seen: isKnown ? { epoch: epoch(String(seen["epoch"])), seq: seq(Number(seen["seq"])) } : undefined };
}

function readFired(item: Stored): FiredAlert | undefined {
  const head = readHead(item);
  const [at, number, time] = [item["price"], item["seq"], item["time"]];
  if (head === undefined || typeof at !== "number" || typeof number !== "number" || typeof time !== "number") return undefined;
  return { ...head, price: price(at), seq: seq(number), time: millis(time), isSeen: item["isSeen"] === true };
}

function readHead(item: Stored) {
  const [id, condition] = [item["id"], readCondition(item["condition"])];
  const symbol = typeof item["symbol"] === "string" ? asSymbol(item["symbol"]) : undefined;
  return typeof id === "string" && symbol !== undefined && condition !== undefined ? { id, symbol, condition } : undefined;
}
