import { asSymbol, millis, price, seq, shares, type Bar, type Cancel, type Correction, type Ohlc, type Quote, type Status, type StockSymbol, type Ticker, type Trade } from "@tapecast/client";

/** Builders of test data with defaults, so that a test only states what matters. */

/** The start of time in tests. */
export const START = Date.UTC(2026, 10, 20, 14, 30);

export function symbol(text: string): StockSymbol {
  const made = asSymbol(text);
  if (made === undefined) throw new Error(`not a symbol: ${text}`);
  return made;
}

export function trade(afterMs: number, dollars: number, size = 10, name = "AAPL"): Trade {
  return {
    channel: "trades",
    ...{ symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START + afterMs) },
    ...{ id: 0, venue: "V", tape: "C", price: price(dollars), size: shares(size), conditions: "@", isLate: false },
  };
}

export function cancel(id: number, name = "AAPL"): Cancel {
  return { channel: "cancelErrors", symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START), id };
}

export function correction(id: number, dollars: number, size: number, name = "AAPL"): Correction {
  return {
    channel: "corrections",
    ...{ symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START) },
    ...{ id, price: price(dollars), size: shares(size) },
  };
}

export function quote(bid: number, ask: number, name = "AAPL"): Quote {
  return {
    channel: "quotes",
    ...{ symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START) },
    ...{ bid: price(bid), bidSize: shares(100), ask: price(ask), askSize: shares(200) },
  };
}

/** The event with a sequence number and a count of conflated objects. */
export function numbered<E extends Trade | Quote>(event: E, number: number, conflated = 0): E {
  return { ...event, seq: seq(number), conflated };
}

export function ohlc(afterMs: number, open: number, high: number, low: number, close: number, volume: number): Ohlc {
  return {
    time: millis(START + afterMs),
    ...{ open: price(open), high: price(high), low: price(low), close: price(close), volume: shares(volume) },
  };
}

export function dailyBar(bar: Ohlc, name = "AAPL"): Bar {
  return { channel: "dailyBars", ...bar, symbol: symbol(name), seq: undefined, conflated: 0, origin: "live" };
}

/** A ticker whose open equals its previous close. */
export function ticker(last: number, previousClose = last, name = "AAPL"): Ticker {
  return {
    channel: "tickers",
    ...{ symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START) },
    ...{ last: price(last), bid: price(last - 0.01), bidSize: shares(100), ask: price(last + 0.01), askSize: shares(200) },
    ...{ open: price(previousClose), high: price(Math.max(last, previousClose)), low: price(Math.min(last, previousClose)) },
    ...{ previousClose: price(previousClose), volume: shares(1_000), averagePrice: price(last) },
  };
}

export function status(trading: Status["trading"], reason = "", name = "AAPL"): Status {
  return { channel: "statuses", symbol: symbol(name), seq: undefined, conflated: 0, origin: "live", time: millis(START), trading, reason };
}
