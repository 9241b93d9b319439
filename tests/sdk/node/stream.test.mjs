// @alpacahq/alpaca-trade-api 4, unmodified: every channel of the stream as the SDK's objects.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { streaming } from "@alpacahq/alpaca-trade-api";
import { eventually, startServer } from "./server.mjs";

let market;
before(async () => (market = await startServer("--incidents", "many")));
after(() => market.stop());

const credentials = { keyId: "any-key", secret: "any-secret" };

/** A session of the SDK that records what each of its listeners receives. */
function listen(options = {}) {
  const stream = new streaming.StockDataStream({ credentials, url: market.stream, ...options });
  const given = {
    trades: [], quotes: [], bars: [], updatedBars: [], dailyBars: [], statuses: [], lulds: [], corrections: [],
    cancelErrors: [], acks: [], errors: [],
  };
  stream.onTrade((it) => given.trades.push(it));
  stream.onQuote((it) => given.quotes.push(it));
  stream.onBar((it) => given.bars.push(it));
  stream.onUpdatedBar((it) => given.updatedBars.push(it));
  stream.onDailyBar((it) => given.dailyBars.push(it));
  stream.onStatus((it) => given.statuses.push(it));
  stream.onLuld((it) => given.lulds.push(it));
  stream.onCorrection((it) => given.corrections.push(it));
  stream.onCancelError((it) => given.cancelErrors.push(it));
  stream.on(streaming.EVENT.SUBSCRIPTION, (it) => given.acks.push(it));
  stream.onError((it) => given.errors.push(it));
  return { stream, given };
}

const first = async (given, channel) => {
  await eventually(`the first of ${channel}`, () => given[channel].length > 0);
  return given[channel][0];
};

describe("a session with all channels", () => {
  let stream, given;
  before(async () => {
    ({ stream, given } = listen());
    stream.subscribeForTrades(["*"]);
    stream.subscribeForQuotes(["*"]);
    stream.subscribeForBars(["*"]);
    stream.subscribeForUpdatedBars(["*"]);
    stream.subscribeForDailyBars(["*"]);
    stream.subscribeForStatuses(["*"]);
    stream.subscribeForLulds(["*"]);
    stream.connect();
    const { authenticated, message } = await stream.waitForAuthenticationResult(30_000);
    assert.ok(authenticated, message);
  });
  after(() => stream.disconnect());

  test("a trade has all of its fields and a time in nanoseconds", async () => {
    const trade = await first(given, "trades");
    assert.match(trade.symbol, /^[A-Z.]+$/);
    assert.ok(Number.isInteger(trade.id) && trade.id >= 1);
    assert.ok(trade.price > 0 && Number.isInteger(trade.size) && trade.size >= 1);
    assert.match(trade.exchange, /^[A-Z]$/);
    assert.match(trade.tape, /^[ABC]$/);
    assert.ok(Array.isArray(trade.conditions));
    assert.ok(Math.abs(Date.now() - trade.timestamp) < 60_000);
    assert.ok(given.trades.some(({ timestampRaw }) => /\.\d{9}Z$/.test(timestampRaw)));
  });

  test("a quote has both of its sides", async () => {
    const quote = await first(given, "quotes");
    assert.ok(quote.bidPrice > 0 && quote.bidPrice < quote.askPrice);
    assert.ok(Number.isInteger(quote.bidSize) && Number.isInteger(quote.askSize));
    assert.match(quote.bidExchange + quote.askExchange, /^[A-Z]{2}$/);
  });

  for (const channel of ["bars", "updatedBars", "dailyBars"]) {
    test(`an object of ${channel} is consistent`, async () => {
      const bar = await first(given, channel);
      assert.ok(bar.low <= Math.min(bar.open, bar.close) && Math.max(bar.open, bar.close) <= bar.high);
      assert.ok(bar.low <= bar.vwap && bar.vwap <= bar.high);
      assert.ok(bar.volume >= bar.tradeCount && bar.tradeCount >= 1);
      assert.equal(bar.timestamp.getMilliseconds(), 0);
    });
  }

  test("a status has a code and a message", async () => {
    const status = await first(given, "statuses");
    assert.ok(status.statusCode && status.statusMessage && status.tape);
    assert.equal(typeof status.reasonCode, "string");
  });

  test("the upper price band is above the lower", async () => {
    const luld = await first(given, "lulds");
    assert.ok(luld.limitUpPrice > luld.limitDownPrice && luld.limitDownPrice > 0);
    assert.equal(typeof luld.indicator, "string");
  });

  test("a correction comes with its trade's subscription", async () => {
    const correction = await first(given, "corrections");
    assert.ok(correction.originalPrice > 0 && correction.correctedPrice > 0);
    assert.ok(Number.isInteger(correction.originalSize) && Number.isInteger(correction.correctedSize));
    assert.ok(Number.isInteger(correction.originalId) && Number.isInteger(correction.correctedId));
  });

  test("a cancel comes with its trade's subscription", async () => {
    const cancel = await first(given, "cancelErrors");
    assert.ok(Number.isInteger(cancel.id) && cancel.price > 0 && cancel.size >= 1);
    assert.match(cancel.action, /^[CE]$/);
  });

  test("the SDK reports no error", () => {
    assert.deepEqual(given.errors, []);
  });
});

const CHANNELS = { trades: "Trades", quotes: "Quotes", bars: "Bars", dailyBars: "DailyBars" };

for (const [channel, name] of Object.entries(CHANNELS)) {
  test(`after unsubscribe no object of ${channel} arrives`, async () => {
    // Trades of another symbol show that the session is alive and that time passes.
    const { stream, given } = listen();
    stream.subscribeForTrades(["NVDA"]);
    stream[`subscribeFor${name}`](["AAPL"]);
    stream.connect();
    const ofAapl = () => given[channel].filter(({ symbol }) => symbol === "AAPL").length;
    const clock = () => given.trades.findLast(({ symbol }) => symbol === "NVDA")?.timestamp.getTime() ?? 0;
    try {
      await eventually(`${channel} of AAPL`, () => ofAapl() > 0);
      await eventually("a trade of NVDA", clock);

      const acks = given.acks.length;
      stream[`unsubscribeFrom${name}`](["AAPL"]);
      await eventually("the ack", () => given.acks.length > acks);
      const atAck = ofAapl();
      const later = clock() + 2_000;
      await eventually("two more seconds", () => clock() > later);

      assert.equal(ofAapl(), atAck);
      assert.ok(!given.acks.at(-1)[channel].includes("AAPL"));
      assert.deepEqual(given.errors, []);
    } finally {
      stream.disconnect();
    }
  });
}

test("the server answers the SDK's pings under load", async () => {
  const { stream, given } = listen({ pingIntervalMs: 500, pongWaitMs: 5_000 });
  stream.subscribeForQuotes(["*"]);
  stream.subscribeForTrades(["*"]);
  const states = [];
  stream.onStateChange((state) => states.push(state));
  stream.connect();
  try {
    const isOld = () => given.trades.length > 1 && given.trades.at(-1).timestamp - given.trades[0].timestamp > 7_000;
    await eventually("seven seconds of trades", isOld);

    assert.ok(!states.includes(streaming.STATE.DISCONNECTED), states.join());
  } finally {
    stream.disconnect();
  }
});
