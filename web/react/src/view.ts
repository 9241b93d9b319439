import type { MarketEvent, Ticker, Trade } from "@tapecast/client";

/** What a hook shows: a value that keeps its identity until it changes. Functions, so that they can be passed on. */
export interface View<Value> {
  readonly subscribe: (changed: () => void) => () => void;
  readonly snapshot: () => Value;
}

/** Collects what happens between two frames. Pure: it knows neither client nor React. */
export interface Collector<Value> {
  /** Takes note of an event; false if it changes nothing. */
  collect(event: MarketEvent): boolean;
  /** What it holds, as events in order: another collector that collects them holds the same. */
  events(): readonly MarketEvent[];
  /** What it holds, as a new value. */
  value(): Value;
}

/** The latest ticker of each symbol. */
export function latestTickers(): Collector<ReadonlyMap<string, Ticker>> {
  const latest = new Map<string, Ticker>();
  return {
    collect: (event) => event.channel === "tickers" && latest.set(event.symbol, event).size > 0,
    events: () => [...latest.values()],
    value: () => new Map(latest),
  };
}

/** The latest trades, the newest first. */
export function latestTrades(limit: number): Collector<readonly Trade[]> {
  let oldestFirst: Trade[] = [];
  const isOf = (event: { readonly symbol: string; readonly id: number }) => (trade: Trade) => trade.id === event.id && trade.symbol === event.symbol;
  return {
    collect: (event) => {
      switch (event.channel) {
        case "trades":
          oldestFirst.push(event);
          // Trimmed now and then, not on each trade.
          if (oldestFirst.length > 2 * limit) oldestFirst = oldestFirst.slice(-limit);
          return true;
        case "cancelErrors": {
          const { length } = oldestFirst;
          oldestFirst = oldestFirst.filter((trade) => !isOf(event)(trade));
          return oldestFirst.length < length;
        }
        case "corrections": {
          const { price, size } = event;
          oldestFirst = oldestFirst.map((trade) => (isOf(event)(trade) ? { ...trade, price, size } : trade));
          return true;
        }
        case "quotes":
        case "bars":
        case "updatedBars":
        case "dailyBars":
        case "statuses":
        case "tickers":
          return false;
      }
    },
    events: () => oldestFirst,
    value: () => (limit > 0 ? oldestFirst.slice(-limit).reverse() : []),
  };
}
