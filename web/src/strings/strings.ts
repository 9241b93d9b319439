import type { AlertCondition, ClientState, Price, ReadyState, StockSymbol } from "@tapecast/client";
import type { TimeFormat } from "../format";
import type { ChartStyle, Flag, MoverList, Obstacle, SalesGroup, SessionPart, Study } from "../market";
import type { MarketTimes } from "../source";
import type { CityId, Condition, SendError } from "../topics";
import type { StateChange, Target } from "../wire-log";

/** The supported languages. */
export const LANGUAGES = ["en", "zh"] as const;

export type Language = (typeof LANGUAGES)[number];

/** What the user interface writes: texts, and times in the zone that the user chose. */
export interface Strings extends Texts {
  readonly times: TimeFormat;
}

/** All texts of the user interface in one language. Texts with parameters are functions. */
export interface Texts {
  readonly language: Language;
  /** The BCP 47 tag for the `lang` attribute of the page. */
  readonly tag: string;
  /** Texts of elements with a `data-text` or `data-label` attribute in index.html. */
  readonly page: Readonly<Record<PageText, string>>;
  /** Headers and tooltips of the watchlist's columns. */
  readonly columns: Readonly<Record<ColumnId, { readonly head: string; readonly tip: string }>>;
  /** A count in short form: `128.4K`, `12.84万`. */
  readonly short: (count: number) => string;
  readonly interval: (seconds: number) => string;
  /** The conflation interval. */
  readonly refresh: (ms: number) => string;
  /** Why the connection is not open; empty if there is nothing to say. */
  readonly connection: (state: ClientState, countdown: string) => string;
  /** The states of a WebSocket, in words. */
  readonly readyStates: Readonly<Record<ReadyState, string>>;
  /** Shown during an attempt to reconnect. */
  readonly reconnecting: string;
  /** At the head of a printed page. */
  readonly printed: (address: string, time: string) => string;
  readonly freshness: {
    readonly live: string;
    readonly quiet: (age: string) => string;
    /** The prices are those of this time. */
    readonly stale: (time: string, age: string) => string;
    readonly paused: (time: string, age: string) => string;
    readonly missed: (count: string) => string;
    readonly off: string;
  };
  /** The name of the bar by which two panels are resized. */
  readonly resizePanels: (before: string, after: string) => string;
  readonly missingTrades: (count: string) => string;
  /** Abbreviations and descriptions of trades that are not like the others. */
  readonly marks: Readonly<Record<"late" | "corrected" | "cancelled", readonly [short: string, description: string]>>;
  readonly newTrades: (count: string) => string;
  readonly salesFilter: SalesFilterStrings;
  /** What the sale conditions of the consolidated tape mean, by letter. */
  readonly saleConditions: Readonly<Partial<Record<string, string>>>;
  readonly noMatch: (typed: string) => string;
  readonly remove: (symbol: string) => string;
  readonly halted: (reason: string) => string;
  readonly haltedShort: string;
  readonly chartOf: (symbol: string, interval: string) => string;
  /** The parts of a session outside of its regular hours. */
  readonly sessionParts: Readonly<Record<Exclude<SessionPart, "regular">, string>>;
  /** Marks the first bar, which is of this date. */
  readonly historyStart: (day: string) => string;
  readonly chart: ChartStrings;
  readonly waitingForTrade: string;
  readonly nothingSelected: string;
  readonly notice: {
    readonly serverError: (message: string, code: number, why: string | undefined) => string;
    readonly unreadable: (sentence: string) => string;
    readonly unknownSymbols: (symbols: string) => string;
    readonly noInstruments: string;
    readonly full: string;
    readonly drain: (seconds: string) => string;
    readonly restarted: string;
    readonly removed: (what: string) => string;
    readonly added: (symbols: string) => string;
    readonly positionsSet: (count: number) => string;
    /** Of an imported text. */
    readonly notUnderstood: (parts: string) => string;
    readonly noSymbols: string;
    readonly alreadyListed: (symbols: string) => string;
    readonly fullLists: string;
    readonly loadFailed: string;
    readonly copied: string;
    readonly notCopied: string;
    /** The browser opened no window. */
    readonly noWindow: string;
  };
  readonly lists: {
    readonly first: string;
    readonly shared: string;
    readonly notKept: (name: string) => string;
    readonly numbered: (number: number) => string;
    /** Marks a search result that is in the current list. */
    readonly added: string;
    readonly nameLabel: string;
  };
  readonly rows: RowStrings;
  readonly trade: TradeCardStrings;
  readonly pause: string;
  readonly resume: string;
  readonly undo: string;
  readonly dismiss: string;
  /** Removes the symbols that a notice names. */
  readonly removeThem: string;
  readonly unknownSymbol: string;
  readonly unknownShort: string;
  readonly legend: readonly [open: string, high: string, low: string, close: string, volume: string];
  readonly noGaps: string;
  readonly latestGap: (symbol: string, from: number, to: number) => string;
  readonly market: WholeMarketStrings;
  readonly chat: ChatStrings;
  readonly alerts: AlertStrings;
  readonly wire: WireStrings;
  readonly source: SourceStrings;
  readonly cities: Readonly<Record<CityId, string>>;
  readonly weather: {
    readonly conditions: Readonly<Record<Condition, string>>;
    readonly wind: string;
    readonly humidity: string;
    /** The weather is that of this time. */
    readonly asOf: (time: string) => string;
  };
  readonly login: { readonly required: string; readonly invalid: string };
}

/** Sentences by the codes of errors, or by why there was no answer. */
export type Refusals = Readonly<Partial<Record<number | string, string>>>;

/** Texts of what a chart draws besides its prices. */
interface ChartStrings {
  readonly styles: Readonly<Record<ChartStyle, string>>;
  /** The name in the menu, and that in the legend. */
  readonly studies: Readonly<Record<Study, { readonly name: string; readonly short: string }>>;
  /** An average of which the bars before this time are missing. */
  readonly since: (name: string, time: string) => string;
  readonly obstacles: Readonly<Record<Obstacle, string>>;
  /** The names of lines at the axis. */
  readonly levels: Readonly<Record<"previousClose" | "high" | "low", string>>;
  readonly removeCompared: (symbol: string) => string;
  /** As many symbols are compared as can be. */
  readonly comparedFull: (most: number) => string;
}

/** Texts of the filter of time and sales. */
interface SalesFilterStrings {
  /** A smallest size in shares; 0 for any. */
  readonly minSize: (shares: number) => string;
  /** The kinds of trades that may be hidden, with what they are. */
  readonly groups: Readonly<Record<SalesGroup, readonly [name: string, description: string]>>;
}

/** Texts of the watchlist's rows: sections, flags, positions, moves. */
interface RowStrings {
  readonly flags: Readonly<Record<Flag, string>>;
  /** The accessible name of the button of a row's flag. */
  readonly flagOf: (symbol: string, flag: Flag | undefined) => string;
  /** The accessible name of the menu of a row. */
  readonly menuOf: (name: string) => string;
  readonly sectionName: string;
  readonly newSection: string;
  /** What a section has, beside its name. */
  readonly symbols: (count: number) => string;
  /** Announced after a move, to screen readers. */
  readonly movedTo: (name: string, position: number, count: number, section: string | undefined) => string;
  readonly sectionMoved: (name: string) => string;
  readonly flagSet: (symbol: string, flag: Flag | undefined) => string;
  /** Why rows are not moved. */
  readonly sorted: string;
  readonly positionOf: (symbol: string) => string;
  readonly invalidPosition: string;
  readonly total: string;
  /** Positions that the total leaves out. */
  readonly withoutPrice: (count: number) => string;
}

/** Texts of the card of a symbol's last trade. */
interface TradeCardStrings {
  readonly none: string;
  readonly ordinary: string;
  /** The names of tapes by their letters. */
  readonly tapes: Readonly<Partial<Record<string, string>>>;
  /** The venue of trades that were reported to a trade reporting facility. */
  readonly offExchange: string;
}

/** Texts of the heat map and of the movers. */
interface WholeMarketStrings {
  readonly loading: string;
  /** The key does not include all symbols. */
  readonly notIncluded: string;
  readonly counts: (symbols: string, rising: string, falling: string) => string;
  /** A traded value in dollars, short. */
  readonly value: (dollars: number) => string;
  /** What follows symbol and change in the accessible name of a tile. */
  readonly tile: (name: string, trading: "open" | "halted") => string;
  /** Why a list is empty. */
  readonly none: Readonly<Record<MoverList, string>>;
  /** The symbol is shown and not in the list, and the action that adds it. */
  readonly visited: (symbol: string) => string;
  readonly add: string;
}

/** Texts of the chat. */
interface ChatStrings {
  readonly lobby: string;
  /** Describes the count of the panel's button and of a room's tab. */
  readonly unread: (count: number) => string;
  readonly present: (sessions: number) => string;
  /** The name of the user's own messages, and that of a publisher without one. */
  readonly you: string;
  readonly nameless: string;
  readonly gap: (count: number) => string;
  readonly takenBack: string;
  readonly connecting: string;
  readonly empty: string;
  /** The server has no rooms, or not this one, or allows only to read. */
  readonly noTopics: string;
  readonly noRoom: (name: string) => string;
  readonly readOnly: string;
  readonly error: (error: SendError) => string;
}

/** Texts of the price alerts. */
interface AlertStrings {
  /** Describes the count of the panel's button. */
  readonly firedCount: (unseen: number) => string;
  readonly condition: (condition: AlertCondition) => string;
  /** Of an alert in the list: it stays when it fired, is not set yet, could not be, or waits for the next crossing. */
  readonly repeated: string;
  readonly pending: string;
  readonly refused: (code: number | string, why: string) => string;
  readonly beyond: string;
  readonly unsupported: string;
  readonly noneActive: string;
  readonly noneFired: string;
  readonly reached: (price: string, time: string) => string;
  readonly remove: (symbol: string, condition: string) => string;
  readonly invalid: Readonly<Record<AlertCondition["measure"], string>>;
  readonly tooMany: string;
  readonly notAllowed: string;
  /** An alert fired: a sentence, and the title of a notification. */
  readonly fired: (symbol: StockSymbol, price: Price, condition: AlertCondition) => string;
  readonly title: (symbol: StockSymbol, price: Price) => string;
  /** The alerts on a symbol were not evaluated for so many trades. */
  readonly missed: (symbol: string, trades: number) => string;
  readonly show: string;
  /** The accessible names of the chart's button and of a line's handle. */
  readonly drag: string;
  readonly line: (symbol: string, condition: string) => string;
  readonly marks: Readonly<Record<"set" | "fired", string>>;
}

/** Texts of the wire panel. Commands of the send box have numbers from 1. */
interface WireStrings {
  /** No subprotocol or no extension was agreed on. */
  readonly none: string;
  /** What the connection is for. */
  readonly about: Readonly<Record<Target, string>>;
  readonly closed: (close: NonNullable<StateChange["close"]>) => string;
  readonly direction: Readonly<Record<"in" | "out", string>>;
  readonly codec: Readonly<Record<"text" | "binary", string>>;
  readonly objects: (count: number) => string;
  readonly objectsShort: (count: number) => string;
  /** The messages that are shown, of those that are kept; at most `capacity` are. */
  readonly shown: (shown: number, kept: number, capacity: number) => string;
  readonly newFrames: (count: string) => string;
  readonly command: (command: number) => string;
  readonly answer: (command: number, roundTrip: string) => string;
  readonly outcome: {
    readonly waiting: (command: number) => string;
    readonly answered: (command: number, roundTrip: string) => string;
    readonly refused: (command: number, roundTrip: string, code: string, message: string) => string;
    readonly lost: (command: number) => string;
    readonly unsent: (command: number) => string;
  };
  readonly nothingChosen: string;
  readonly hidden: (objects: number) => string;
  readonly more: (values: number) => string;
  readonly copied: string;
  readonly notCopied: string;
}

/** The figures of the source panel, by group, in their order. Those of an upstream and of a cluster are shown if there is one. */
export const SOURCE_ROWS = {
  feed: ["source", "feedName", "epoch", "state", "objects", "newest"],
  server: ["version", "uptime", "sessions", "workers"],
  upstream: ["link", "losses", "upstreamMissed", "gapTime"],
  cluster: ["node", "role", "nats", "lease", "gateways", "hops", "repaired"],
  market: ["phase", "nextOpen", "nextClose", "minuteBar"],
  history: ["trades", "seconds", "minutes", "days"],
  connection: ["latency", "roundTrip", "offset", "gaps", "missing", "healed"],
} as const;

export type SourceGroup = keyof typeof SOURCE_ROWS;
export type SourceRow = (typeof SOURCE_ROWS)[SourceGroup][number];

/** Texts of the source panel. */
interface SourceStrings {
  readonly groups: Readonly<Record<SourceGroup, string>>;
  readonly rows: Readonly<Record<SourceRow, string>>;
  readonly awaited: string;
  /** The server does not have it for this page. */
  readonly notServed: string;
  /** The server has it, and there is nothing in it. */
  readonly nothing: string;
  /** What the server calls them, in words. */
  readonly kinds: Readonly<Partial<Record<string, string>>>;
  readonly roles: Readonly<Partial<Record<string, string>>>;
  readonly hops: Readonly<Partial<Record<string, string>>>;
  readonly ready: string;
  readonly notReady: (reason: string) => string;
  readonly phases: Readonly<Record<MarketTimes["phase"], string>>;
  readonly link: Readonly<Record<"up" | "down", string>>;
  readonly lease: (isHeld: boolean, fence: string) => string;
  readonly ago: (age: string) => string;
  /** A time to come, and how far it is. */
  readonly ahead: (time: string, wait: string) => string;
  readonly since: (time: string) => string;
  readonly historyOf: (symbol: string) => string;
  readonly node: (node: { readonly role: string; readonly leads: boolean; readonly sessions: string; readonly heard: string }) => string;
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
  "position",
  "value",
  "dayProfit",
  "profit",
  "profitPercent",
  "remove",
] as const;

/** A column's id. Stored with the user's column layout. */
export type ColumnId = (typeof COLUMNS)[number];

export type PageText =
  | "connection"
  | "connectNow"
  | "updates"
  | "p50"
  | "p99"
  | "roundTrip"
  | "gaps"
  | "refresh"
  | "settings"
  | "chart"
  | "candleLength"
  | "chartMenu"
  | "chartStyle"
  | "indicators"
  | "chartLines"
  | "compare"
  | "compareSymbol"
  | "sales"
  | "salesTime"
  | "salesPrice"
  | "salesSize"
  | "stream"
  | "latency"
  | "frames"
  | "bytes"
  | "conflated"
  | "missed"
  | "recovered"
  | "connections"
  | "session"
  | "watchlist"
  | "list"
  | "newList"
  | "renameList"
  | "deleteList"
  | "keepList"
  | "listMenu"
  | "importList"
  | "exportTradingView"
  | "exportCsv"
  | "addSection"
  | "resetSort"
  | "showFlags"
  | "allFlags"
  | "endFlagFilter"
  | "dropFile"
  | "flag"
  | "noFlag"
  | "editPosition"
  | "quantity"
  | "averageCost"
  | "save"
  | "cancel"
  | "removePosition"
  | "tradeDetails"
  | "moveRowUp"
  | "moveRowDown"
  | "sectionAbove"
  | "removeRow"
  | "renameSection"
  | "fold"
  | "unfold"
  | "removeSection"
  | "keyMoveRow"
  | "keyRowMenu"
  | "keyFlag"
  | "keyPosition"
  | "keyTradeDetails"
  | "keySection"
  | "keyFold"
  | "tradeConditions"
  | "tradeVenue"
  | "tradeTape"
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
  | "timeZone"
  | "exchangeZone"
  | "rows"
  | "rowsNormal"
  | "rowsCompact"
  | "stripLabel"
  | "share"
  | "keys"
  | "keySearch"
  | "keySelect"
  | "keyRemove"
  | "keyUndo"
  | "keyCopy"
  | "keyPaste"
  | "keyInterval"
  | "keyPause"
  | "keyStrip"
  | "keyLists"
  | "keyMoveColumn"
  | "keySizeColumn"
  | "keySort"
  | "loginKey"
  | "loginSecret"
  | "logIn"
  | "chartsBy"
  | "perSecond"
  | "skip"
  | "closePanel"
  | "panels"
  | "pinSymbol"
  | "panelMenu"
  | "moveLeft"
  | "moveRight"
  | "ok"
  | "shown"
  | "hidden"
  | "space"
  | "salesBuy"
  | "salesSell"
  | "toLatest"
  | "moveUp"
  | "moveDown"
  | "maximise"
  | "restore"
  | "popOut"
  | "popIn"
  | "dock"
  | "float"
  | "resetLayout"
  | "chat"
  | "chatRooms"
  | "chatLog"
  | "chatName"
  | "chatText"
  | "chatSend"
  | "keyChat"
  | "alerts"
  | "alertKind"
  | "alertPriceAbove"
  | "alertPriceBelow"
  | "alertChangeAbove"
  | "alertChangeBelow"
  | "alertLevel"
  | "alertOnce"
  | "alertSet"
  | "alertsActive"
  | "alertsFired"
  | "alertsClear"
  | "alertSound"
  | "alertNotification"
  | "keyAlert"
  | "heatMap"
  | "movers"
  | "gainers"
  | "losers"
  | "mostActive"
  | "haltedList"
  | "moverSymbol"
  | "moverChange"
  | "moverValue"
  | "filterSales"
  | "minSize"
  | "keyHeatMap"
  | "keyMovers"
  | "wire"
  | "wireTarget"
  | "wireLive"
  | "wireEcho"
  | "wireMessagePack"
  | "wireOpen"
  | "wireClose"
  | "wireAddress"
  | "wireProtocol"
  | "wireExtensions"
  | "wireStates"
  | "wireTemplate"
  | "wireSubscribe"
  | "wireUnsubscribe"
  | "wirePace"
  | "wireResume"
  | "wireAuth"
  | "wireMalformed"
  | "wireText"
  | "wireCopyAs"
  | "wireWscat"
  | "wireConsole"
  | "wirePython"
  | "wireDirection"
  | "wireBoth"
  | "wireIn"
  | "wireOut"
  | "wireKind"
  | "wireAnyKind"
  | "wireSymbol"
  | "wireClear"
  | "wireFrames"
  | "wireMessage"
  | "wireCopyMessage"
  | "keyWire"
  | "dataSource"
  | "keySource";
