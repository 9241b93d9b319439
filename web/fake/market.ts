/** A small deterministic market, for tests only. */

import { LISTINGS } from "./listings";

/** A market data object on the wire, with `T` first. */
export type WireObject = Readonly<Record<string, unknown>> & { readonly T: string; readonly S: string; readonly sq: number };

interface Day {
  open: number;
  high: number;
  low: number;
  last: number;
  size: number;
  bid: number;
  ask: number;
  volume: number;
  trades: number;
  readonly previousClose: number;
}

const CHANNEL_OF: Readonly<Record<string, string>> = { t: "trades", q: "quotes", b: "bars", d: "dailyBars", s: "statuses", k: "tickers", x: "cancelErrors", c: "corrections" };

export const channelOf = (object: WireObject): string => CHANNEL_OF[object.T] ?? "";

/** Trades of fewer shares are odd lots. */
const ROUND_LOT = 100;

export class FakeMarket {
  private readonly random: () => number;
  private readonly days = new Map<string, Day>();
  private readonly numbers = new Map<string, number>();
  private readonly latest = new Map<string, WireObject>();
  private readonly halted = new Set<string>();

  constructor(seed: number) {
    this.random = mulberry32(seed);
    for (const { symbol, open } of LISTINGS) {
      this.days.set(symbol, {
        ...{ open, high: open * 1.006, low: open * 0.993, last: open, size: 100, bid: cents(open - 0.01), ask: cents(open + 0.01) },
        ...{ volume: 4_100_000, trades: 31_000, previousClose: cents(open * (0.985 + this.random() * 0.03)) },
      });
      this.tickerOf(symbol, new Date());
    }
  }

  /** A trade, a quote and a ticker of a random symbol. */
  step(now: Date): readonly WireObject[] {
    const listing = LISTINGS[Math.floor(this.random() * LISTINGS.length)];
    return listing === undefined ? [] : this.stepOf(listing.symbol, now);
  }

  stepOf(symbol: string, now: Date): readonly WireObject[] {
    if (this.halted.has(symbol)) return [];
    const price = cents(this.dayOf(symbol).last * (1 + (this.random() - 0.5) * 0.0012));
    return this.printOf(symbol, price, now);
  }

  /** A trade at this price, with a quote and a ticker. */
  printOf(symbol: string, price: number, now: Date, size?: number): readonly WireObject[] {
    return [this.trade(symbol, price, now, size), this.quote(symbol, now), this.tickerOf(symbol, now)];
  }

  /** Halts or resumes trading of a symbol. */
  setTrading(symbol: string, now: Date, state: "halted" | "open"): WireObject {
    if (state === "halted") this.halted.add(symbol);
    else this.halted.delete(symbol);
    const texts = state === "halted" ? { sc: "H", sm: "Trading Halt", rc: "T1", rm: "News Pending" } : { sc: "T", sm: "Trading Resumption", rc: "", rm: "" };
    return this.numbered({ T: "s", S: symbol, ...texts, z: "C", t: timeOf(now) });
  }

  /** A trade of some seconds ago, reported now. It does not change the last price. */
  lateOf(symbol: string, price: number, now: Date, secondsAgo: number): readonly WireObject[] {
    const day = this.dayOf(symbol);
    day.trades += 1;
    const t = timeOf(new Date(now.getTime() - secondsAgo * 1_000));
    return [this.numbered({ T: "t", S: symbol, i: day.trades, x: "V", p: price, s: 6, c: ["Z"], z: "C", t })];
  }

  /** Cancels the latest trade. */
  cancelOf(symbol: string, now: Date): readonly WireObject[] {
    const { i, p, s }: Readonly<Record<string, unknown>> = this.latestOf("trades", symbol) ?? {};
    return [this.numbered({ T: "x", S: symbol, i, x: "V", p, s, a: "C", z: "C", t: timeOf(now) })];
  }

  /** Corrects the price of the latest trade. */
  correctOf(symbol: string, price: number, now: Date): readonly WireObject[] {
    const { i, p, s }: Readonly<Record<string, unknown>> = this.latestOf("trades", symbol) ?? {};
    const corrected = { ci: Number(i) + 1_000_000, cp: price, cs: s, cc: ["@"] };
    return [this.numbered({ T: "c", S: symbol, x: "V", oi: i, op: p, os: s, oc: ["@"], ...corrected, z: "C", t: timeOf(now) })];
  }

  /** The daily bar of every symbol. */
  dailyBars(now: Date): readonly WireObject[] {
    const start = `${now.toISOString().slice(0, 10)}T05:00:00Z`;
    return LISTINGS.map(({ symbol }) => {
      const day = this.dayOf(symbol);
      const { open: o, high: h, low: l, last: c, volume: v, trades: n } = day;
      return this.numbered({ T: "d", S: symbol, o, h, l, c, v, n, vw: c, t: start });
    });
  }

  /** The latest object of a stream. */
  latestOf(channel: string, symbol: string): WireObject | undefined {
    return this.latest.get(`${channel} ${symbol}`);
  }

  /** The latest objects of all streams of a channel. */
  allOf(channel: string): readonly WireObject[] {
    return [...this.latest.values()].filter((object) => channelOf(object) === channel);
  }

  private trade(symbol: string, price: number, now: Date, size = 1 + Math.floor(this.random() * 400)): WireObject {
    const day = this.dayOf(symbol);
    day.last = price;
    day.high = Math.max(day.high, day.last);
    day.low = Math.min(day.low, day.last);
    day.size = size;
    day.volume += day.size;
    day.trades += 1;
    const { last: p, size: s, trades: i } = day;
    return this.numbered({ T: "t", S: symbol, i, x: "V", p, s, c: size < ROUND_LOT ? ["@", "I"] : ["@"], z: "C", t: timeOf(now) });
  }

  /** A quote and the ticker, which repeats the last trade. */
  quoteOf(symbol: string, now: Date): readonly WireObject[] {
    return [this.quote(symbol, now), this.tickerOf(symbol, now)];
  }

  private quote(symbol: string, now: Date): WireObject {
    const day = this.dayOf(symbol);
    const half = 0.01 * (1 + Math.floor(this.random() * 3));
    day.bid = cents(day.last - half);
    day.ask = cents(day.last + half);
    const [bs, as] = [this.lots(), this.lots()];
    return this.numbered({
      ...{ T: "q", S: symbol, bx: "V", bp: day.bid, bs, ax: "V", ap: day.ask, as },
      ...{ c: ["R"], z: "C", t: timeOf(now) },
    });
  }

  private tickerOf(symbol: string, now: Date): WireObject {
    const { open: o, high: h, low: l, last: p, size: s, bid: bp, ask: ap, volume: v, trades: n, previousClose: pc } = this.dayOf(symbol);
    const [bs, as] = [this.lots(), this.lots()];
    return this.numbered({ T: "k", S: symbol, p, s, bp, bs, ap, as, o, h, l, pc, v, n, vw: p, t: timeOf(now) });
  }

  private numbered(object: Omit<WireObject, "sq"> & { readonly T: string; readonly S: string }): WireObject {
    const stream = `${CHANNEL_OF[object.T] ?? ""} ${object.S}`;
    const sq = (this.numbers.get(stream) ?? 0) + 1;
    this.numbers.set(stream, sq);
    const made = { ...object, sq };
    this.latest.set(stream, made);
    return made;
  }

  private lots(): number {
    return 100 * (1 + Math.floor(this.random() * 12));
  }

  private dayOf(symbol: string): Day {
    const day = this.days.get(symbol);
    if (day === undefined) throw new Error(`no listing of ${symbol}`);
    return day;
  }
}

export const cents = (dollars: number): number => Math.round(dollars * 100) / 100;

/** A time with nine fraction digits, the longest form that the server sends. */
const timeOf = (now: Date): string => now.toISOString().replace("Z", "000000Z");

/** The mulberry32 generator: 32 bits of state, deterministic per seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
