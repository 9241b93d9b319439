import { asSymbol, type StockSymbol } from "@tapecast/client";
import { DAY_MS } from "./bar-series";

/** How a chart draws its prices. */
export const CHART_STYLES = ["candles", "line", "area"] as const;

/** What a chart may show besides its prices and volume, in the order of its menu. Stored, so renaming one loses its choice. */
export const STUDIES = ["ema9", "ema21", "vwap", "rsi", "previousClose", "dayRange", "volumeAtPrice"] as const;

/** Symbols that a chart compares with its own: as many as can be told apart. */
export const MAX_COMPARED = 3;

export type ChartStyle = (typeof CHART_STYLES)[number];
export type Study = (typeof STUDIES)[number];

/** What the user chose to see on a chart. */
export interface ChartLook {
  readonly style: ChartStyle;
  readonly studies: readonly Study[];
  readonly compared: readonly StockSymbol[];
}

/** Why a chosen study is not drawn. */
export type Obstacle = "comparing" | "daily";

const AVERAGES: readonly Study[] = ["ema9", "ema21", "vwap"];

/** What keeps a study from being drawn with bars of this length; undefined if nothing does. */
export function obstacleOf(study: Study, intervalMs: number, isComparing: boolean): Obstacle | undefined {
  // In a scale of per cent each line begins at its own zero, which is no place for averages of prices.
  if (isComparing && AVERAGES.includes(study)) return "comparing";
  // A session has one bar a day.
  return study === "vwap" && intervalMs >= DAY_MS ? "daily" : undefined;
}

/** Reads a stored choice. Missing and invalid values have their default. */
export function readChartLook(stored: unknown): ChartLook {
  const { style, studies, compared } = (typeof stored === "object" && stored !== null ? stored : {}) as Readonly<Record<string, unknown>>;
  const symbols = (Array.isArray(compared) ? compared : []).flatMap((symbol) => (typeof symbol === "string" ? (asSymbol(symbol) ?? []) : []));
  return {
    style: CHART_STYLES.find((known) => known === style) ?? "candles",
    studies: STUDIES.filter((study) => Array.isArray(studies) && studies.includes(study)),
    compared: [...new Set(symbols)].slice(0, MAX_COMPARED),
  };
}
