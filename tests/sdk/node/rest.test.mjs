// @alpacahq/alpaca-trade-api 4, unmodified: history, latest values and snapshots, page by page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { marketData, marketDataShapes, pagination } from "@alpacahq/alpaca-trade-api";
import { eventually, startServer } from "./server.mjs";

const SYMBOLS = ["AAPL", "MSFT", "NVDA"];
const symbols = SYMBOLS.join(",");
const start = new Date(Date.now() - 5 * 86_400_000);

let market, stocks;
before(async () => {
  market = await startServer();
  stocks = new marketData.StockApi(
    new marketData.Configuration({ basePath: market.http, keyId: "any-key", secret: "any-secret" }),
  );
  await eventually("250 trades of AAPL", async () => {
    const { trades } = await stocks.stockTradeSingle({ symbol: "AAPL", start, limit: 250 });
    return trades.length === 250;
  });
});
after(() => market.stop());

test("pages contain every trade once", async () => {
  const end = new Date();
  const { trades: whole } = await stocks.stockTrades({ symbols, start, end, limit: 10_000 });
  let pages = 0;
  const fetchPage = async (pageToken) => {
    const page = await stocks.stockTrades({ symbols, start, end, limit: 100, pageToken });
    pages += 1;
    return { data: page.trades, nextPageToken: page.nextPageToken };
  };
  const trades = await pagination.collectBySymbol(fetchPage);

  assert.ok(pages > 2);
  assert.deepEqual(Object.keys(trades).sort(), SYMBOLS);
  for (const [symbol, ofSymbol] of Object.entries(trades)) {
    const ids = new Set(ofSymbol.map(({ i }) => i));
    assert.equal(ids.size, ofSymbol.length);
    // Meanwhile retention may have dropped the oldest trade, and a late trade may have been added.
    const missing = whole[symbol].filter(({ i, t }) => t >= ofSymbol[0].t && !ids.has(i));
    assert.deepEqual(missing, []);
  }
});

test("a page of one symbol is a list with its symbol", async () => {
  const page = await stocks.stockQuoteSingle({ symbol: "AAPL", start, limit: 10 });

  assert.equal(page.symbol, "AAPL");
  assert.equal(page.quotes.length, 10);
  assert.equal(typeof page.nextPageToken, "string");
  assert.ok(page.quotes.every((quote) => quote.bp < quote.ap && quote.t instanceof Date && !Number.isNaN(+quote.t)));
});

for (const timeframe of ["1Min", "5Min", "1Hour", "1Day"]) {
  test(`bars of ${timeframe} are consistent`, async () => {
    const ask = () => stocks.stockBars({ symbols, timeframe, start });
    await eventually("bars", async () => Object.keys((await ask()).bars).length > 0);
    const bars = marketDataShapes.toBarsBySymbol((await ask()).bars);
    for (const bar of Object.values(bars).flat()) {
      assert.ok(bar.low <= Math.min(bar.open, bar.close) && Math.max(bar.open, bar.close) <= bar.high);
      assert.ok(bar.volume >= 1 && !Number.isNaN(+bar.timestamp));
    }
  });
}

test("the latest values are recent", async () => {
  const { trades } = await stocks.stockLatestTrades({ symbols });
  const { quotes } = await stocks.stockLatestQuotes({ symbols });
  const { quote } = await stocks.stockLatestQuoteSingle({ symbol: "AAPL" });
  const { trade } = await stocks.stockLatestTradeSingle({ symbol: "AAPL" });

  assert.deepEqual(Object.keys(trades).sort(), SYMBOLS);
  assert.deepEqual(Object.keys(quotes).sort(), SYMBOLS);
  for (const { t } of [...Object.values(trades), ...Object.values(quotes), quote, trade]) {
    assert.ok(Date.now() - t < 60_000);
  }
});

test("a snapshot has all of its parts", async () => {
  const snapshots = await stocks.stockSnapshots({ symbols });
  const single = await stocks.stockSnapshotSingle({ symbol: "AAPL" });

  assert.deepEqual(Object.keys(snapshots).sort(), SYMBOLS);
  assert.equal(single.symbol, "AAPL");
  for (const it of [single, ...Object.values(snapshots)]) {
    assert.ok(it.latestTrade && it.latestQuote && it.minuteBar && it.dailyBar && it.prevDailyBar);
  }
});

test("an invalid request is refused with a status", async () => {
  await assert.rejects(stocks.stockBars({ symbols, timeframe: "1Fortnight", start }), (error) => {
    assert.equal(error.response?.status ?? error.status, 400);
    return true;
  });
});
