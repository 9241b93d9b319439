import { millis, type Instrument, type Millis, type Ohlc, type StockSymbol, type Trade } from "../model";
import { barsPath, millisecondBefore, readAssets, readBars, readTrades, tradesPath, type Timeframe } from "../wire";

/** Gets a path of the server's as JSON; undefined when there is no answer to be had. */
export type GetJson = (path: string) => Promise<unknown>;

/** The most that the server puts into one page. */
const PAGE = 10_000;

const LENGTH_MS: Readonly<Record<Timeframe, number>> = {
  "1Sec": 1_000,
  "5Sec": 5_000,
  "1Min": 60_000,
  "5Min": 300_000,
  "1Day": 86_400_000,
};

/** Markets sleep at night and at weekends: so much further back is looked for as many bars. */
const SLEEP = 6;

/** What was, by REST. An answer is undefined where the server has none to give. */
export class History {
  private readonly getJson: GetJson;

  constructor(getJson: GetJson) {
    this.getJson = getJson;
  }

  async instruments(): Promise<readonly Instrument[] | undefined> {
    return readAssets(await this.getJson("/v2/assets"));
  }

  /** So many bars before this time, oldest first. */
  async barsBefore(symbol: StockSymbol, timeframe: Timeframe, before: Millis, limit: number): Promise<readonly Ohlc[] | undefined> {
    const start = millis(before - LENGTH_MS[timeframe] * limit * SLEEP);
    const query = { symbols: [symbol], timeframe, start, end: millisecondBefore(before), limit };
    const page = readBars(await this.getJson(barsPath(query)));
    return page && (page.bySymbol.get(symbol) ?? []);
  }

  /** The bars since this time of many symbols. */
  async barsSince(symbols: readonly StockSymbol[], timeframe: Timeframe, start: Millis): Promise<ReadonlyMap<StockSymbol, readonly Ohlc[]>> {
    if (symbols.length === 0) return new Map();
    const page = readBars(await this.getJson(barsPath({ symbols, timeframe, start, limit: PAGE })));
    return page?.bySymbol ?? new Map<StockSymbol, readonly Ohlc[]>();
  }

  /** The trades of a stretch of time, oldest first. */
  async trades(symbol: StockSymbol, start: Millis, end: Millis, limit = PAGE): Promise<readonly Trade[] | undefined> {
    const page = readTrades(await this.getJson(tradesPath(symbol, start, end, limit)));
    return page && (page.bySymbol.get(symbol) ?? []);
  }
}
