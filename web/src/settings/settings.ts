import { EXCHANGE_TIME_ZONE, INTERVALS, type IntervalSeconds } from "../market";
import { LANGUAGES, type Language } from "../strings";

export const THEMES = ["system", "dark", "light"] as const;
export const RISES = ["locale", "green", "red"] as const;

/** The height of the watchlist's rows. */
export const ROWS = ["normal", "compact"] as const;

/** The time zone of the market's times: that of the exchange, UTC, or the browser's. */
export const TIME_ZONES = ["exchange", "utc", "browser"] as const;

export type Theme = (typeof THEMES)[number];

/** The colour of a rising price. It is red in China, Japan and Korea. */
export type Rise = "green" | "red";

/** The user's settings. Property names are stored, so renaming one loses its stored value. */
export interface Settings {
  readonly theme: Theme;
  readonly rise: (typeof RISES)[number];
  readonly language: "browser" | Language;
  readonly timeZone: (typeof TIME_ZONES)[number];
  /** Whether the ticker tape is shown. */
  readonly strip: "shown" | "hidden";
  readonly rows: (typeof ROWS)[number];
  /** The conflation interval; 0 means every tick. */
  readonly conflateMs: number;
  readonly interval: IntervalSeconds;
  /** The grid's serialised column layout, for wide and for narrow screens. */
  readonly columns: Readonly<Partial<Record<"wide" | "narrow", string>>>;
}

/** 250 ms is about as fast as a person can read changing numbers. */
export const DEFAULT_SETTINGS: Settings = {
  theme: "system",
  rise: "locale",
  language: "browser",
  timeZone: "exchange",
  strip: "shown",
  rows: "normal",
  conflateMs: 250,
  interval: 1,
  columns: {},
};

/** The steps of the conflation slider, from every tick to two seconds. */
export const CONFLATION_STEPS_MS = [0, 50, 100, 250, 500, 1_000, 2_000] as const;

/** Parses stored settings. Missing and invalid values have their default. */
export function readSettings(text: string | null): Settings {
  const stored = parse(text);
  const one = <T>(key: string, choices: readonly T[], fallback: T): T => choices.find((choice) => choice === stored[key]) ?? fallback;
  const columns = asRecord(stored["columns"]);
  const layout = (width: "wide" | "narrow") => (typeof columns[width] === "string" ? { [width]: columns[width] } : {});
  return {
    theme: one("theme", THEMES, DEFAULT_SETTINGS.theme),
    rise: one("rise", RISES, DEFAULT_SETTINGS.rise),
    language: one("language", ["browser", ...LANGUAGES] as const, DEFAULT_SETTINGS.language),
    timeZone: one("timeZone", TIME_ZONES, DEFAULT_SETTINGS.timeZone),
    strip: one("strip", ["shown", "hidden"] as const, DEFAULT_SETTINGS.strip),
    rows: one("rows", ROWS, DEFAULT_SETTINGS.rows),
    conflateMs: one<number>("conflateMs", CONFLATION_STEPS_MS, DEFAULT_SETTINGS.conflateMs),
    interval: one("interval", INTERVALS, DEFAULT_SETTINGS.interval),
    columns: { ...layout("wide"), ...layout("narrow") },
  };
}

export const writeSettings = (settings: Settings): string => JSON.stringify(settings);

/** The chosen language, or else the first supported language of the browser. */
export function languageOf({ language }: Settings, browser: readonly string[]): Language {
  if (language !== "browser") return language;
  const wanted = browser.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.flatMap((tag) => LANGUAGES.find((known) => known === tag) ?? [])[0] ?? "en";
}

/** The name in the IANA time zone database of the chosen zone. */
export function timeZoneOf({ timeZone }: Settings, browser: string): string {
  return { exchange: EXCHANGE_TIME_ZONE, utc: "UTC", browser }[timeZone];
}

/** The chosen colour of a rising price, or else the convention of the user's region. */
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
