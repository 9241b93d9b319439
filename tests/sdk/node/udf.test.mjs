// TradingView's Universal Data Feed, asked as the adapter of its library asks. The adapter has no free licence, so this is a client
// of our own with the same calls, checks and order: configuration, search, resolve, history backwards, polls of the last bars, quotes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, startServer } from "./server.mjs";

const SECONDS = { S: 1, "": 60, D: 86_400 };
/** Seconds of a bar of this resolution. */
const lengthOf = (resolution) => {
  const [, count, unit] = /^(\d+)([SD]?)$/.exec(resolution);
  return Number(count) * SECONDS[unit];
};

/** What the library does with a data feed. */
class Adapter {
  #base;
  #maxBars;

  constructor(base, maxBars = Infinity) {
    this.#base = base;
    this.#maxBars = maxBars;
  }

  /** The adapter reads a body as JSON whatever its status and type are. */
  async #send(path, params = {}) {
    const answer = await fetch(`${this.#base}/${path}?${new URLSearchParams(params)}`);
    return JSON.parse(await answer.text());
  }

  async onReady() {
    const config = await this.#send("config");
    if (!config.supports_search && !config.supports_group_request) throw new Error("neither search nor groups");
    return config;
  }

  async serverTime() {
    const time = Number.parseInt(await this.#send("time"), 10);
    assert.ok(Number.isSafeInteger(time));
    return time;
  }

  async searchSymbols(query, exchange = "", type = "") {
    const found = await this.#send("search", { limit: 30, query: query.toUpperCase(), type, exchange });
    if (found.s !== undefined) throw new Error(found.errmsg);
    return found;
  }

  async resolveSymbol(symbol) {
    const info = await this.#send("symbols", { symbol });
    if (info.s !== undefined) throw new Error("unknown_symbol");
    return info;
  }

  /** Bars in milliseconds, and whether there are none further back. */
  async getBars(info, resolution, { from, to, countBack }) {
    const params = { symbol: info.ticker, resolution, from, to, currencyCode: info.currency_code };
    if (countBack !== undefined) params.countback = countBack;
    const history = await this.#send("history", params);
    if (history.s === "no_data") return { bars: [], noData: true, nextTime: history.nextTime };
    if (history.s !== "ok") throw new Error(history.errmsg);
    const bars = history.t.map((time, place) => ({
      time: time * 1_000,
      open: history.o[place],
      high: history.h[place],
      low: history.l[place],
      close: history.c[place],
      volume: history.v[place],
    }));
    assert.ok(bars.length <= this.#maxBars);
    return { bars, noData: false };
  }

  async getQuotes(symbols) {
    const quotes = await this.#send("quotes", { symbols });
    if (quotes.s !== "ok") throw new Error(quotes.errmsg);
    return quotes.d;
  }
}

/** The bars of a chart that is scrolled to the oldest one, `count` at a time. */
async function scrolled(adapter, info, resolution, to, count) {
  const all = [];
  let requests = 0;
  for (;;) {
    const from = to - count * lengthOf(resolution);
    const { bars, noData, nextTime } = await adapter.getBars(info, resolution, { from, to, countBack: count });
    requests += 1;
    if (noData) {
      assert.equal(nextTime, undefined, "nothing is further back");
      return { all, requests };
    }
    all.unshift(...bars);
    to = bars[0].time / 1_000;
  }
}

function assertBars(bars) {
  for (const [place, bar] of bars.entries()) {
    assert.ok(place === 0 || bars[place - 1].time < bar.time, "times rise");
    assert.ok(bar.low <= Math.min(bar.open, bar.close) && Math.max(bar.open, bar.close) <= bar.high);
    assert.ok(bar.volume >= 1);
  }
}

/** The most bars of an answer. */
const MAX_BARS = 10_000;

let market, adapter;
before(async () => {
  market = await startServer();
  adapter = new Adapter(`${market.http}/udf`, MAX_BARS);
});
after(() => market.stop());

test("the feed is configured and tells the time", async () => {
  const config = await adapter.onReady();

  assert.ok(config.supports_search && config.supports_time && !config.supports_group_request);
  assert.ok(Math.abs((await adapter.serverTime()) - Date.now() / 1_000) < 60);
});

test("a found symbol can be resolved by its ticker and its full name", async () => {
  const config = await adapter.onReady();
  const [found] = await adapter.searchSymbols("aapl", "", "stock");
  const exchanges = config.exchanges.map(({ value }) => value);

  assert.ok(exchanges.includes(found.exchange));
  const info = await adapter.resolveSymbol(found.ticker);
  assert.deepEqual(await adapter.resolveSymbol(found.full_name), info);
  assert.equal(info.ticker, found.ticker);
  // What the library refuses a symbol for.
  assert.doesNotThrow(() => new Intl.DateTimeFormat("en", { timeZone: info.timezone }));
  assert.match(info.session, /^(24x7|\d{4}-\d{4})$/);
  assert.ok(Number.isInteger(Math.log10(info.pricescale)) && info.minmov === 1);
  for (const resolution of info.intraday_multipliers) assert.ok(info.supported_resolutions.includes(resolution));
  await assert.rejects(adapter.resolveSymbol("ZZZZZ"), { message: "unknown_symbol" });
});

for (const [resolution, count] of [["1", 2_000], ["5", 500], ["60", 100], ["1D", 100]]) {
  test(`a chart of ${resolution} is scrolled back to the oldest bar`, async () => {
    const info = await adapter.resolveSymbol("AAPL");
    const to = await adapter.serverTime();

    const { all, requests } = await scrolled(adapter, info, resolution, to, count);

    assertBars(all);
    assert.ok(requests > 2, `${all.length} bars`);
    // The same bars by range. Late trades may have changed those that are not over for two minutes.
    const recent = all.slice(-MAX_BARS);
    const whole = await adapter.getBars(info, resolution, { from: recent[0].time / 1_000, to });
    const isFinal = ({ time }) => time / 1_000 + lengthOf(resolution) < to - 120;
    assert.deepEqual(whole.bars.filter(isFinal), recent.filter(isFinal));
  });
}

test("polls of the last bars follow the market", async () => {
  const info = await adapter.resolveSymbol("AAPL");
  const seen = [];
  await eventually("three bars of a second", async () => {
    // A second more than now, so that the running bar is in the range.
    const to = (await adapter.serverTime()) + 1;
    const { bars } = await adapter.getBars(info, "1S", { from: to - 10, to, countBack: 2 });
    for (const bar of bars) {
      const last = seen.at(-1);
      if (last === undefined || last.time < bar.time) seen.push(bar);
      else if (last.time === bar.time) seen[seen.length - 1] = bar;
    }
    return seen.length >= 5;
  });

  assertBars(seen);
});

test("quotes have the last price between the lowest and the highest of the day", async () => {
  const symbols = ["AAPL", "MSFT", "NONE"];
  const quotes = await eventually("trades", async () => {
    const answer = await adapter.getQuotes(symbols);
    return answer.filter(({ v }) => v.bid !== undefined).length === 2 && answer;
  });

  assert.deepEqual(quotes.map(({ n, s }) => [n, s]), [["AAPL", "ok"], ["MSFT", "ok"], ["NONE", "error"]]);
  for (const { v } of quotes.slice(0, 2)) {
    assert.ok(v.low_price <= v.lp && v.lp <= v.high_price && v.bid < v.ask);
    assert.ok(Math.abs(v.lp - v.prev_close_price - v.ch) < 1e-6);
  }
});

test("what is refused has a message", async () => {
  const info = await adapter.resolveSymbol("AAPL");

  await assert.rejects(adapter.getBars(info, "1", { from: 2, to: 1 }), { message: "invalid to: before from" });
  await assert.rejects(adapter.getBars({ ticker: "ZZZZZ" }, "1", { from: 1, to: 2 }), /ZZZZZ/);
  await assert.rejects(adapter.getBars(info, "1H", { from: 1, to: 2 }), /resolution/);
});
