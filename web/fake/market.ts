/** A small market that says the same things every time: a stand-in for the server's, for tests only. */

/** An object as it goes on the wire, `T` first. */
export type WireObject = Readonly<Record<string, unknown>> & { readonly T: string; readonly S: string };

export interface Listing {
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  readonly open: number;
}

export const LISTINGS: readonly Listing[] = [
  { symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ", open: 227.5 },
  { symbol: "MSFT", name: "Microsoft Corporation", exchange: "NASDAQ", open: 421.3 },
  { symbol: "NVDA", name: "NVIDIA Corporation", exchange: "NASDAQ", open: 134.8 },
  { symbol: "TSLA", name: "Tesla, Inc.", exchange: "NASDAQ", open: 352.6 },
  { symbol: "AMZN", name: "Amazon.com, Inc.", exchange: "NASDAQ", open: 201.7 },
  { symbol: "GOOGL", name: "Alphabet Inc. Class A", exchange: "NASDAQ", open: 171.2 },
  { symbol: "META", name: "Meta Platforms, Inc. Class A", exchange: "NASDAQ", open: 561.1 },
  { symbol: "JPM", name: "JPMorgan Chase & Co.", exchange: "NYSE", open: 243.1 },
  { symbol: "KO", name: "The Coca-Cola Company", exchange: "NYSE", open: 62.9 },
  { symbol: "INTC", name: "Intel Corporation", exchange: "NASDAQ", open: 24.4 },
  { symbol: "XOM", name: "Exxon Mobil Corporation", exchange: "NYSE", open: 120.3 },
];

interface Day {
  open: number;
  high: number;
  low: number;
  last: number;
  volume: number;
  trades: number;
}

const CHANNEL_OF: Readonly<Record<string, string>> = { t: "trades", q: "quotes", b: "bars", d: "dailyBars" };

export const channelOf = (object: WireObject): string => CHANNEL_OF[object.T] ?? "";

export class FakeMarket {
  private readonly random: () => number;
  private readonly days = new Map<string, Day>();
  private readonly numbers = new Map<string, number>();

  constructor(seed: number) {
    this.random = mulberry32(seed);
    for (const { symbol, open } of LISTINGS) {
      this.days.set(symbol, { open, high: open * 1.006, low: open * 0.993, last: open, volume: 4_100_000, trades: 31_000 });
    }
  }

  /** A trade and the quote after it, of a symbol that chance takes. */
  step(now: Date): readonly WireObject[] {
    const listing = LISTINGS[Math.floor(this.random() * LISTINGS.length)];
    return listing === undefined ? [] : [this.trade(listing.symbol, now), this.quote(listing.symbol, now)];
  }

  /** The day so far, of every symbol. */
  dailyBars(now: Date): readonly WireObject[] {
    const start = `${now.toISOString().slice(0, 10)}T05:00:00Z`;
    return LISTINGS.map(({ symbol }) => {
      const day = this.dayOf(symbol);
      const { open: o, high: h, low: l, last: c, volume: v, trades: n } = day;
      return this.numbered({ T: "d", S: symbol, o, h, l, c, v, n, vw: c, t: start });
    });
  }

  private trade(symbol: string, now: Date): WireObject {
    const day = this.dayOf(symbol);
    day.last = cents(day.last * (1 + (this.random() - 0.5) * 0.0012));
    day.high = Math.max(day.high, day.last);
    day.low = Math.min(day.low, day.last);
    const s = 1 + Math.floor(this.random() * 400);
    day.volume += s;
    day.trades += 1;
    return this.numbered({ T: "t", S: symbol, i: day.trades, x: "V", p: day.last, s, c: ["@"], z: "C", t: timeOf(now) });
  }

  private quote(symbol: string, now: Date): WireObject {
    const { last } = this.dayOf(symbol);
    const half = 0.01 * (1 + Math.floor(this.random() * 3));
    const [bs, as] = [this.lots(), this.lots()];
    return this.numbered({
      ...{ T: "q", S: symbol, bx: "V", bp: cents(last - half), bs, ax: "V", ap: cents(last + half), as },
      ...{ c: ["R"], z: "C", t: timeOf(now) },
    });
  }

  private numbered(object: WireObject): WireObject {
    const stream = `${object.T} ${object.S}`;
    const sq = (this.numbers.get(stream) ?? 0) + 1;
    this.numbers.set(stream, sq);
    return { ...object, sq };
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

const cents = (dollars: number): number => Math.round(dollars * 100) / 100;

/** With nine fraction digits, as the real server may. */
const timeOf = (now: Date): string => now.toISOString().replace("Z", "000000Z");

/** A small generator of known quality: 32 bits of state, the same numbers from the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
