import { INTERVALS, readChartLook, type ChartLook, type IntervalSeconds } from "../market";
import { asSymbol, type StockSymbol } from "@tapecast/client";
import { storage } from "../platform";

const STORAGE_KEY = "tapecast.charts";

/** What the user chose for one chart. */
export interface ChartChoice {
  /** The symbol that the chart keeps; undefined if it follows the selection. */
  readonly pinned: StockSymbol | undefined;
  readonly interval: IntervalSeconds | undefined;
  readonly look: ChartLook;
}

/** Stores what the user chose for each chart. */
export const chartChoices = {
  load(id: string): ChartChoice {
    const choice = stored()[id] as Readonly<Record<string, unknown>> | null | undefined;
    const pinned = choice?.["pinned"];
    return {
      pinned: typeof pinned === "string" ? asSymbol(pinned) : undefined,
      interval: INTERVALS.find((seconds) => seconds === choice?.["interval"]),
      look: readChartLook(choice?.["look"]),
    };
  },
  save(id: string, choice: ChartChoice): void {
    storage.save(STORAGE_KEY, JSON.stringify({ ...stored(), [id]: choice }));
  },
};

function stored(): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(storage.load(STORAGE_KEY) ?? "{}") as unknown;
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
