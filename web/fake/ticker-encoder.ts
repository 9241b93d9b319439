import type { WireObject } from "./market";

/** The keys of tickers that a session may select. */
const SELECTABLE = ["p", "s", "bp", "bs", "ap", "as", "o", "h", "l", "pc", "v", "n", "vw"];

/** The keys that a change has although they may be as before. */
const ALWAYS = ["T", "S", "sq", "cf", "sn"];

/** What of an object's keys is not of the next one. */
const OWN = ["sq", "cf", "sn"];

/** Sends tickers to one session as it asked for: some of their keys (`fields`), and of these what changed (`delta`). */
export class FakeTickerEncoder {
  private fields: readonly string[] | undefined;
  private isDelta = false;
  /** The object of each stream that was sent last, with the selected keys. */
  private readonly sent = new Map<string, WireObject>();

  /** Takes the options of a command over; returns the keys that do not exist. */
  set({ fields, delta }: Readonly<Record<string, unknown>>): readonly string[] {
    const asked = (fields as { readonly tickers?: readonly string[] } | null | undefined)?.tickers;
    if (fields !== undefined) this.fields = asked?.filter((key) => SELECTABLE.includes(key));
    if (typeof delta === "boolean") this.isDelta = delta;
    if (fields !== undefined || delta !== undefined) this.sent.clear();
    return (asked ?? []).filter((key) => !SELECTABLE.includes(key));
  }

  /** The options in force. */
  get granted(): object {
    return { ...(this.fields === undefined ? {} : { fields: { tickers: this.fields } }), ...(this.isDelta ? { delta: true } : {}) };
  }

  /** The next object of this stream is whole. */
  forget(symbol: string): void {
    this.sent.delete(symbol);
  }

  encode(object: WireObject): WireObject {
    if (object.T !== "k") return object;
    const { fields } = this;
    const selected = fields === undefined ? object : only(object, (key) => ALWAYS.includes(key) || key === "t" || fields.includes(key));
    if (!this.isDelta) return selected;
    const before = this.sent.get(object.S);
    this.sent.set(object.S, selected);
    if (before === undefined || object["sn"] === true) return { ...selected, full: true };
    const gone = Object.keys(before).filter((key) => !(key in selected) && !OWN.includes(key));
    return { ...only(selected, (key) => ALWAYS.includes(key) || selected[key] !== before[key]), ...Object.fromEntries(gone.map((key) => [key, null])) };
  }
}

const only = (object: WireObject, isKept: (key: string) => boolean): WireObject => Object.fromEntries(Object.entries(object).filter(([key]) => isKept(key))) as WireObject;
