import type { Client, Ticker, Trade } from "@tapecast/client";
import { useMemo, useSyncExternalStore } from "react";
import { MarketFeed } from "./market-feed";
import { nextFrame } from "./next-frame";
import type { View } from "./view";

export interface TradesOptions {
  /** The number of trades to keep; default 100. */
  readonly limit?: number;
}

const feeds = new WeakMap<Client, MarketFeed>();

/**
 * The latest ticker of each of these symbols, by symbol; one without data is not in the map. `*` stands for all.
 *
 * Subscribes while the component is mounted, and renders at most once per frame. The symbols may be a new array in each
 * render.
 */
export function useTickers(client: Client, symbols: readonly string[]): ReadonlyMap<string, Ticker> {
  const key = symbols.join(",");
  return useView(useMemo(() => feedOf(client).tickers(symbolsOf(key)), [client, key]));
}

/** The latest trades of these symbols, the newest first. Cancelled trades are removed, corrected ones changed. */
export function useTrades(client: Client, symbols: readonly string[], { limit = 100 }: TradesOptions = {}): readonly Trade[] {
  const key = symbols.join(",");
  return useView(useMemo(() => feedOf(client).trades(symbolsOf(key), limit), [client, key, limit]));
}

const useView = <Value>({ subscribe, snapshot }: View<Value>): Value => useSyncExternalStore(subscribe, snapshot, snapshot);

/** Symbols have no commas. */
const symbolsOf = (key: string): readonly string[] => (key === "" ? [] : key.split(","));

function feedOf(client: Client): MarketFeed {
  const feed = feeds.get(client) ?? new MarketFeed(client, nextFrame);
  feeds.set(client, feed);
  return feed;
}
