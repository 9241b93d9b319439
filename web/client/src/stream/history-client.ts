import { millis, symbolOf, type Instrument, type Ohlc, type StockSymbol, type Trade } from "../model";
import { barsPath, millisecondBefore, readAssets, readBars, readTrades, tradesPath, type Timeframe } from "../wire";

/** Sends a GET request for a path of the server and parses the JSON response; undefined if the request fails. */
export type GetJson = (path: string) => Promise<unknown>;

/** The largest page that the server sends. */
const PAGE_LIMIT = 10_000;

const LENGTH_MS: Readonly<Record<Timeframe, number>> = {
  "1Sec": 1_000,
  "5Sec": 5_000,
  "1Min": 60_000,
  "5Min": 300_000,
  "15Min": 900_000,
  "1Hour": 3_600_000,
  "1Day": 86_400_000,
};

/** Markets close at night and at weekends, so n bars are searched within 6n bar lengths. */
const CLOSED_HOURS_FACTOR = 6;

/** Short bars are searched beyond the longest time for which a market closes: a week, in 2001. */
const LONGEST_CLOSING_MS = 8 * 86_400_000;

/** A client of the REST endpoints for historical data. A result is undefined if the request fails. */
export class HistoryClient {
  private readonly getJson: GetJson;

  constructor(getJson: GetJson) {
    this.getJson = getJson;
  }

  async instruments(): Promise<readonly Instrument[] | undefined> {
    return readAssets(await this.getJson("/v2/assets"));
  }

  /** The last `limit` bars that start before this time, oldest first. */
  async barsBefore(symbol: string, timeframe: Timeframe, before: number, limit: number): Promise<readonly Ohlc[] | undefined> {
    const start = millis(before - Math.max(LENGTH_MS[timeframe] * limit * CLOSED_HOURS_FACTOR, LONGEST_CLOSING_MS));
    const symbols = [symbolOf(symbol)];
    const query = { symbols, timeframe, start, end: millisecondBefore(millis(before)), limit };
    const page = readBars(await this.getJson(barsPath(query)));
    return page && symbols.flatMap((one) => page.bySymbol.get(one) ?? []);
  }

  /** The bars of several symbols since this time; empty if the request fails. */
  async barsSince(symbols: readonly string[], timeframe: Timeframe, start: number): Promise<ReadonlyMap<StockSymbol, readonly Ohlc[]>> {
    if (symbols.length === 0) return new Map();
    const page = readBars(await this.getJson(barsPath({ symbols: symbols.map(symbolOf), timeframe, start: millis(start), limit: PAGE_LIMIT })));
    return page?.bySymbol ?? new Map<StockSymbol, readonly Ohlc[]>();
  }

  /** The trades between two times, oldest first. */
  async trades(symbol: string, start: number, end: number, limit = PAGE_LIMIT): Promise<readonly Trade[] | undefined> {
    const page = readTrades(await this.getJson(tradesPath(symbolOf(symbol), millis(start), millis(end), limit)));
    return page && (page.bySymbol.get(symbolOf(symbol)) ?? []);
  }
}
