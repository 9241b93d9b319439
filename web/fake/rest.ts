import { cents, mulberry32, type WireObject } from "./market";
import { LISTINGS } from "./listings";

const LENGTH_MS: Readonly<Record<string, number>> = { "1Sec": 1e3, "5Sec": 5e3, "1Min": 6e4, "5Min": 3e5, "15Min": 9e5, "1Hour": 36e5, "1Day": 864e5 };

/** Number of generated bars before the start of the market, of seconds and of days. */
const GENERATED_BARS = 3_000;

/** Bars of minutes and hours are those of five sessions, which have the hours of a day: the market never closes. */
const GENERATED_MS = 5 * 864e5;

interface Bar {
  t: string;
  o: number;
  h: number;
  l: number;
  c: number;
  v: number;
  n: number;
  vw: number;
}

/** Answers the page's REST queries (docs/PROTOCOL.md, "REST"): from recorded trades, and before those with generated bars. */
export class FakeRest {
  private readonly startedAt = Date.now();
  private readonly trades = new Map<string, WireObject[]>();

  record(objects: readonly WireObject[]): void {
    for (const object of objects) {
      if (object.T !== "t") continue;
      const list = this.trades.get(object.S) ?? [];
      this.trades.set(object.S, list);
      list.push(object);
      if (list.length > 20_000) list.splice(0, 5_000);
    }
  }

  answer(path: string, query: URLSearchParams): object | undefined {
    const resource = /^\/v2\/stocks\/(bars|trades)$/.exec(path)?.[1];
    if (resource === undefined) return undefined;
    const limit = Number(query.get("limit") ?? 1000);
    const [start, end] = [Date.parse(query.get("start") ?? "") || 0, Date.parse(query.get("end") ?? "") || Date.now() + 1];
    const bySymbol = (query.get("symbols") ?? "").split(",").map((symbol) => {
      const all = resource === "trades" ? (this.trades.get(symbol) ?? []) : this.bars(symbol, LENGTH_MS[query.get("timeframe") ?? ""] ?? 6e4, start, end);
      const within = all.filter(({ t }) => Date.parse(String(t)) >= start && Date.parse(String(t)) <= end);
      return [symbol, query.get("sort") === "asc" ? within.slice(0, limit) : within.slice(-limit).reverse()] as const;
    });
    return { [resource]: Object.fromEntries(bySymbol.filter(([, list]) => list.length > 0)), next_page_token: null };
  }

  private bars(symbol: string, length: number, start: number, end: number): readonly Bar[] {
    const bars: Bar[] = [];
    const birth = this.startedAt - (this.startedAt % length);
    const open = LISTINGS.find((listing) => listing.symbol === symbol)?.open ?? 100;
    const first = Math.max(Math.ceil(start / length) * length, birth - generatedMs(length));
    for (let at = first; at < birth && at <= end; at += length) bars.push(generatedBar(open, at, length, symbol));
    for (const trade of this.trades.get(symbol) ?? []) fold(bars, trade, length);
    return bars;
  }
}

/** How long before the start of the market generated bars begin. */
const generatedMs = (length: number): number => (length >= 6e4 && length < 864e5 ? GENERATED_MS : GENERATED_BARS * length);

/** A generated bar before the start of the market. */
function generatedBar(open: number, at: number, length: number, symbol: string): Bar {
  const place = (when: number) => open * (1 + 0.004 * Math.sin(when / length / 9 + symbol.length) + 0.002 * Math.sin(when / length / 2.3));
  const random = mulberry32(Math.floor(at / length) ^ symbol.charCodeAt(0));
  const [o, c] = [cents(place(at)), cents(place(at + length))];
  const [h, l] = [cents(Math.max(o, c) * (1 + random() * 0.001)), cents(Math.min(o, c) * (1 - random() * 0.001))];
  return { t: new Date(at).toISOString(), o, h, l, c, v: 500 + Math.floor(random() * 9_000), n: 20, vw: c };
}

function fold(bars: Bar[], trade: WireObject, length: number): void {
  const at = Date.parse(String(trade["t"]));
  const t = new Date(at - (at % length)).toISOString();
  const [p, s] = [Number(trade["p"]), Number(trade["s"])];
  const bar = bars.at(-1);
  if (bar?.t !== t) {
    bars.push({ t, o: p, h: p, l: p, c: p, v: s, n: 1, vw: p });
    return;
  }
  Object.assign(bar, { h: Math.max(bar.h, p), l: Math.min(bar.l, p), c: p, v: bar.v + s, n: bar.n + 1 });
}
