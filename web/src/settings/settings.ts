import { INTERVALS, type IntervalSeconds } from "../market";
import { LANGUAGES, type Language } from "../strings";

export const THEMES = ["system", "dark", "light"] as const;
export const RISES = ["locale", "green", "red"] as const;

export type Theme = (typeof THEMES)[number];

/** The colour of a rising price: in China, Japan and Korea it is red. */
export type Rise = "green" | "red";

/** What the viewer chose, kept from visit to visit. */
export interface Settings {
  readonly theme: Theme;
  readonly rise: (typeof RISES)[number];
  readonly language: "browser" | Language;
  readonly strip: "shown" | "hidden";
  /** At most one frame in so many milliseconds. */
  readonly conflateMs: number;
  readonly interval: IntervalSeconds;
  /** The board's columns as the grid tells them, for wide screens and for narrow ones. */
  readonly columns: Readonly<Partial<Record<"wide" | "narrow", string>>>;
}

/** A quarter of a second is as often as a person can read a figure; a board of prices needs no more. */
export const DEFAULT_SETTINGS: Settings = {
  theme: "system",
  rise: "locale",
  language: "browser",
  strip: "shown",
  conflateMs: 250,
  interval: 1,
  columns: {},
};

/** The stops of the slider, from every tick to two seconds. */
export const PACES_MS = [0, 50, 100, 250, 500, 1_000, 2_000] as const;

/** Settings from text that was kept; what is missing, or makes no sense, is as by default. */
export function readSettings(text: string | null): Settings {
  const kept = parse(text);
  const one = <T>(key: string, choices: readonly T[], otherwise: T): T => choices.find((choice) => choice === kept[key]) ?? otherwise;
  const columns = asRecord(kept["columns"]);
  const layout = (width: "wide" | "narrow") => (typeof columns[width] === "string" ? { [width]: columns[width] } : {});
  return {
    theme: one("theme", THEMES, DEFAULT_SETTINGS.theme),
    rise: one("rise", RISES, DEFAULT_SETTINGS.rise),
    language: one("language", ["browser", ...LANGUAGES] as const, DEFAULT_SETTINGS.language),
    strip: one("strip", ["shown", "hidden"] as const, DEFAULT_SETTINGS.strip),
    conflateMs: one<number>("conflateMs", PACES_MS, DEFAULT_SETTINGS.conflateMs),
    interval: one("interval", INTERVALS, DEFAULT_SETTINGS.interval),
    columns: { ...layout("wide"), ...layout("narrow") },
  };
}

export const writeSettings = (settings: Settings): string => JSON.stringify(settings);

/** The language chosen, or else the first of the browser's that the page speaks. */
export function languageOf({ language }: Settings, browser: readonly string[]): Language {
  if (language !== "browser") return language;
  const wanted = browser.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.flatMap((tag) => LANGUAGES.find((known) => known === tag) ?? [])[0] ?? "en";
}

/** The colour of a rising price: chosen, or as the viewer's own market has it. */
export function riseOf({ rise }: Settings, browser: readonly string[]): Rise {
  if (rise !== "locale") return rise;
  return /^(zh|ja|ko)\b/i.test(browser[0] ?? "") ? "red" : "green";
}

function parse(text: string | null): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
