import type { Millis, StockSymbol } from "@tapecast/client";
import type { MarketTimes } from "./clock";
import type { RangeId } from "./history-range";
import type { ServerMetrics } from "./metrics";
import type { ServerStatus } from "./status";

/** An answer of the server; or it is awaited, or the server does not have it for the page. */
export type Told<Answer> = Answer | "awaited" | "notServed";

/** What is known of the server. */
export interface SourceInfo {
  readonly status: Told<ServerStatus>;
  readonly metrics: Told<ServerMetrics>;
  readonly clock: Told<MarketTimes>;
  /** The server's time minus the page's, and how exact that is. */
  readonly offset: { readonly offsetMs: number; readonly errorMs: number } | undefined;
  /** When the history of a symbol begins; undefined for what it does not have. */
  readonly history: Told<{ readonly symbol: StockSymbol; readonly since: Readonly<Record<RangeId, Millis | undefined>> }>;
}

export const NOTHING_TOLD: SourceInfo = { status: "awaited", metrics: "awaited", clock: "awaited", offset: undefined, history: "awaited" };
