import type { WireObject } from "./market";

/** The price alerts of one session of the fake server. */

interface FakeAlert {
  readonly S: string;
  readonly id: string;
  readonly when: string;
  readonly once: boolean;
  readonly isBeyond: (price: number) => boolean;
  /** It fires when the price is beyond the level and this is set. */
  isArmed: boolean;
  sq: number;
}

const CONDITION = /^(p|chg)(>=|<=)(-?\d+(?:\.\d{1,9})?)(%?)$/;

/** What the level of a change is relative to, and where the price is. */
export interface PriceNow {
  readonly last: number;
  readonly previousClose: number;
  /** The number of the last trade. */
  readonly sq: number;
}

export class FakeAlerts {
  private readonly alerts = new Map<string, FakeAlert>();

  /** Sets an alert; false if its condition is none. */
  set(S: string, id: string, when: string, once: boolean, now: PriceNow): boolean {
    const [, name, direction, number = "", unit] = CONDITION.exec(when) ?? [];
    if (name === undefined || (name === "chg") !== (unit === "%")) return false;
    const level = name === "p" ? Number(number) : now.previousClose * (1 + Number(number) / 100);
    const isBeyond = (price: number) => (direction === ">=" ? price >= level : price <= level);
    this.alerts.set(id, { S, id, when, once, isBeyond, isArmed: !isBeyond(now.last), sq: now.sq });
    return true;
  }

  /** Puts an alert back to what it was when a client last knew of it: a crossing since then is told. */
  rearm(id: string): void {
    const alert = this.alerts.get(id);
    if (alert !== undefined) alert.isArmed = true;
  }

  remove(ids: readonly string[]): void {
    if (ids.includes("*")) this.alerts.clear();
    for (const id of ids) this.alerts.delete(id);
  }

  get list(): readonly object[] {
    return [...this.alerts.values()].map(({ S, id, when, once, isArmed, sq }) => ({ S, id, when, once, ...(isArmed ? {} : { now: true }), sq }));
  }

  /** The alerts that a trade fires, as objects on the wire. */
  judge({ T, S, p, sq, t }: WireObject): readonly object[] {
    if (T !== "t") return [];
    const price = Number(p);
    return [...this.alerts.values()].filter((alert) => alert.S === S).flatMap((alert) => {
      alert.sq = sq;
      const isFired = alert.isArmed && alert.isBeyond(price);
      alert.isArmed = !alert.isBeyond(price);
      if (!isFired) return [];
      if (alert.once) this.alerts.delete(alert.id);
      return [{ T: "a", S, id: alert.id, when: alert.when, p, sq, t }];
    });
  }
}
