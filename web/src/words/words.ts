import type { ClientState } from "../client";

/** The languages of the page. */
export const LANGUAGES = ["en", "zh"] as const;

export type Language = (typeof LANGUAGES)[number];

/** Everything that the page says, in one language. What is not a sentence alone is a function of what it tells. */
export interface Words {
  readonly language: Language;
  /** For the `lang` of the page. */
  readonly tag: string;
  /** Texts that stand in the page itself, by the name that the page gives them. */
  readonly page: Readonly<Record<PageWord, string>>;
  /** Headers of the board's columns, and what they mean. */
  readonly columns: Readonly<Record<ColumnId, { readonly head: string; readonly tip: string }>>;
  /** A count in few characters: `128.4K`, `12.84万`. */
  readonly short: (count: number) => string;
  readonly interval: (seconds: number) => string;
  /** How often the board is told of changes. */
  readonly pace: (ms: number) => string;
  readonly updatesWaiting: (count: string) => string;
  readonly reason: (state: ClientState, inSeconds: string) => string;
  readonly fresh: {
    readonly live: string;
    readonly quiet: (age: string) => string;
    readonly lost: (age: string) => string;
    readonly missed: (count: string) => string;
    readonly off: string;
  };
  readonly hole: (count: string) => string;
  readonly moreLines: (count: string) => string;
  readonly noMatch: (typed: string) => string;
  readonly remove: (symbol: string) => string;
  readonly halted: (reason: string) => string;
  readonly haltedInShort: string;
  readonly chartOf: (symbol: string, interval: string) => string;
  readonly waitingForTrade: string;
  readonly nothingSelected: string;
  readonly notice: {
    readonly serverError: (message: string, code: number) => string;
    readonly unreadable: (sentence: string) => string;
    readonly unknownSymbols: (symbols: string) => string;
    readonly noInstruments: string;
    readonly full: string;
    readonly drain: (seconds: string) => string;
    readonly notWhole: string;
    readonly copied: string;
    readonly notCopied: string;
  };
  readonly lists: {
    readonly first: string;
    readonly shared: string;
    readonly fresh: (number: number) => string;
    readonly watched: string;
  };
  readonly pause: string;
  readonly goOn: string;
  readonly legend: readonly [open: string, high: string, low: string, close: string, volume: string];
  readonly noGaps: string;
  readonly gapAt: (symbol: string, from: number, to: number) => string;
  /** When the server asks for a key. */
  readonly access: { readonly wanted: string; readonly unknown: string };
  /** The name of a list that the viewer is asked for. */
  readonly nameOfList: string;
}

export const COLUMNS = [
  "symbol",
  "name",
  "last",
  "spark",
  "change",
  "percent",
  "bid",
  "ask",
  "volume",
  "range",
  "remove",
] as const;

export type ColumnId = (typeof COLUMNS)[number];

export type PageWord =
  | "connection"
  | "connectNow"
  | "updates"
  | "p50"
  | "p99"
  | "roundTrip"
  | "gaps"
  | "pace"
  | "settings"
  | "chart"
  | "candleLength"
  | "tape"
  | "tapeTime"
  | "tapePrice"
  | "tapeSize"
  | "stream"
  | "latency"
  | "frames"
  | "bytes"
  | "conflated"
  | "missed"
  | "healed"
  | "repeated"
  | "connections"
  | "session"
  | "watchlist"
  | "list"
  | "newList"
  | "renameList"
  | "deleteList"
  | "columns"
  | "resetColumns"
  | "addSymbol"
  | "symbolsFound"
  | "empty"
  | "theme"
  | "system"
  | "dark"
  | "light"
  | "colours"
  | "byLocale"
  | "greenUp"
  | "redUp"
  | "language"
  | "byBrowser"
  | "strip"
  | "stripLabel"
  | "share"
  | "keys"
  | "keySearch"
  | "keySelect"
  | "keyRemove"
  | "keyInterval"
  | "keyPause"
  | "keyTape"
  | "keyLists"
  | "keyMoveColumn"
  | "keySizeColumn"
  | "keySort"
  | "accessId"
  | "accessSecret"
  | "accessShow"
  | "candlesBy"
  | "perSecond"
  | "skip";
