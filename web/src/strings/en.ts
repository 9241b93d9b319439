import type { AlertCondition, Close } from "@tapecast/client";
import { formatPrice, formatShort } from "../format";
import type { Refusals, Strings } from "./strings";

/** The server's own sentence; a normal close has none. */
const closeReason = ({ reason }: Close): string => (reason === "" ? "closed normally" : reason);

/** Why a command was refused, by the error's code (docs/PROTOCOL.md, "Errors"). */
const REFUSALS: Refusals = {
  400: "the server does not understand the command",
  401: "the server requires a key",
  402: "the key is not valid",
  405: "the server has no room for another symbol",
  409: "the key does not include this symbol",
  429: "too many commands. Try again later",
  434: "there are too many alerts",
  435: "the condition is not valid, or the server does not have this symbol",
  500: "the server failed",
};

const condition = ({ measure, direction, level }: AlertCondition): string => {
  const sign = direction === "rise" ? "≥" : "≤";
  return measure === "price" ? `Price ${sign} ${formatPrice(level)}` : `Change ${sign} ${String(level).replace("-", "−")} %`;
};

export const english: Strings = {
  language: "en",
  tag: "en",
  page: {
    connection: "Connection",
    connectNow: "Connect now",
    updates: "Updates",
    p50: "Latency p50",
    p99: "p99",
    roundTrip: "Round trip",
    gaps: "Gaps",
    refresh: "Refresh",
    settings: "Settings",
    chart: "Chart",
    candleLength: "Candle length",
    sales: "Time and sales",
    salesTime: "Time",
    salesPrice: "Price",
    salesSize: "Size",
    stream: "Stream",
    latency: "Latency from exchange to this page",
    frames: "Frames",
    bytes: "Bytes",
    conflated: "Conflated",
    missed: "Missed",
    recovered: "Recovered",
    connections: "Connections",
    session: "since page load",
    watchlist: "Watchlist",
    list: "List",
    newList: "New list",
    renameList: "Rename list",
    keepList: "Keep list",
    deleteList: "Delete list",
    columns: "Columns",
    resetColumns: "Reset columns",
    addSymbol: "Add a symbol",
    symbolsFound: "Matching symbols",
    empty: "Your watchlist is empty. Press / to add a symbol.",
    theme: "Theme",
    system: "System",
    dark: "Dark",
    light: "Light",
    colours: "Rising prices",
    byLocale: "By region",
    greenUp: "Green",
    redUp: "Red",
    language: "Language",
    byBrowser: "Browser",
    strip: "Ticker tape",
    stripLabel: "Ticker tape of this list",
    share: "Copy link to this view",
    keys: "Keyboard shortcuts",
    keySearch: "search",
    keySelect: "select",
    keyRemove: "remove (on a row)",
    keyUndo: "undo",
    keyCopy: "copy row (on a row)",
    keyPaste: "add symbols from the clipboard",
    keyInterval: "candle length",
    keyPause: "pause",
    keyStrip: "ticker tape",
    keyLists: "switch list",
    keyMoveColumn: "move column (on its header)",
    keySizeColumn: "resize column (on its header)",
    keySort: "sort (on a header)",
    loginKey: "Key",
    loginSecret: "Secret",
    logIn: "Log in",
    chartsBy: "Charts by",
    perSecond: "/s",
    skip: "Skip to watchlist",
    closePanel: "Close",
    panels: "Panels",
    panelMenu: "Panel menu",
    moveLeft: "Move left",
    moveRight: "Move right",
    moveUp: "Move up",
    moveDown: "Move down",
    maximise: "Maximise",
    restore: "Restore size",
    popOut: "Open in a window",
    popIn: "Back to the board",
    dock: "Put on the board",
    float: "Put over the board",
    resetLayout: "Reset layout",
    chat: "Chat",
    chatRooms: "Rooms",
    chatLog: "Messages",
    chatName: "Your name",
    chatText: "Message",
    chatSend: "Send",
    keyChat: "chat",
    alerts: "Alerts",
    alertKind: "Alert when",
    alertPriceAbove: "Price rises to",
    alertPriceBelow: "Price falls to",
    alertChangeAbove: "Change rises to %",
    alertChangeBelow: "Change falls to %",
    alertLevel: "Level",
    alertOnce: "Only once",
    alertSet: "Set alert",
    alertsActive: "Set",
    alertsFired: "Fired",
    alertsClear: "Clear",
    alertSound: "Sound",
    alertNotification: "System notification",
    keyAlert: "alert",
  },
  columns: {
    symbol: { head: "Symbol", tip: "" },
    name: { head: "Name", tip: "" },
    last: { head: "Last", tip: "Price of the last trade" },
    spark: { head: "5 min", tip: "The last five minutes" },
    change: { head: "Change", tip: "Change since the previous close" },
    percent: { head: "%", tip: "Change since the previous close, in percent" },
    bid: { head: "Bid × size", tip: "Best bid and its size in shares" },
    ask: { head: "Ask × size", tip: "Best ask and its size in shares" },
    volume: { head: "Volume", tip: "Shares traded today" },
    range: { head: "Day range", tip: "Low and high of the day, and the last price between them" },
    remove: { head: "Remove", tip: "" },
  },
  short: formatShort,
  interval: (seconds) => (seconds < 60 ? `${seconds} s` : seconds < 86_400 ? `${seconds / 60} min` : "1 day"),
  refresh: (ms) => (ms === 0 ? "every tick" : ms < 1_000 ? `every ${ms} ms` : `every ${ms / 1_000} s`),
  connection: (state, countdown) => {
    switch (state.phase) {
      case "waiting":
        return `${closeReason(state.close)} · retrying in ${countdown}`;
      case "ended":
        return `${closeReason(state.close)} · not retrying`;
      case "greeting":
        return "waiting for the server";
      case "idle":
      case "connecting":
      case "live":
      case "closing":
        return "";
    }
  },
  reconnecting: "reconnecting",
  freshness: {
    live: "live",
    quiet: (age) => `quiet market · ${age}`,
    stale: (time, age) => `prices of ${time}, ${age} ago`,
    paused: (time, age) => `paused at ${time}, ${age} ago`,
    missed: (count) => `data missed · ${count}`,
    off: "",
  },
  resizePanels: (before, after) => `Resize ${before} and ${after}`,
  missingTrades: (count) => `${count} trades missing`,
  marks: { late: ["late", "Reported late: the price is that of its own time"], corrected: ["corr.", "Corrected"], cancelled: ["canc.", "Cancelled"] },
  newTrades: (count) => `${count} new`,
  noMatch: (typed) => `No symbol matches “${typed}”`,
  remove: (symbol) => `Remove ${symbol}`,
  halted: (reason) => (reason === "" ? "Trading halted" : `Trading halted: ${reason}`),
  haltedShort: "HALT",
  chartOf: (symbol, interval) => `Candlestick chart of ${symbol}, ${interval}`,
  waitingForTrade: "Waiting for the first trade",
  nothingSelected: "No symbol selected",
  notice: {
    serverError: (message, code, why) => `Server error: ${message} (${code})${why === undefined ? "" : `: ${why}`}`,
    unreadable: (sentence) => `Message ignored: ${sentence}`,
    unknownSymbols: (symbols) => `Unknown symbols: ${symbols}`,
    noInstruments: "The list of symbols failed to load. Type a complete symbol to add it.",
    full: "The watchlist is full. Remove a symbol first.",
    drain: (seconds) => `The server is restarting. Reconnecting in ${seconds}.`,
    restarted: "The server was restarted. Sequence numbers began anew.",
    removed: (what) => `Removed ${what}.`,
    added: (symbols) => `Added ${symbols}.`,
    alreadyListed: (symbols) => `Already in this list: ${symbols}.`,
    fullLists: "There are too many lists. Delete one first.",
    loadFailed: "Part of the page failed to load. Reload the page.",
    copied: "Link copied.",
    notCopied: "Copy the link from the address bar.",
    noWindow: "The browser blocked the window. Allow pop-ups for this page.",
  },
  lists: { first: "My list", shared: "Shared", notKept: (name) => `${name} (not kept)`, numbered: (number) => `List ${number}`, added: "added", nameLabel: "List name" },
  undo: "Undo",
  dismiss: "Dismiss",
  removeThem: "Remove",
  unknownSymbol: "Unknown symbol: this server has no data for it",
  unknownShort: "UNKNOWN",
  pause: "Pause",
  resume: "Resume",
  legend: ["O", "H", "L", "C", "V"],
  noGaps: "No gaps: all sequence numbers are consecutive",
  latestGap: (symbol, from, to) => `Latest gap: ${symbol}, sequence numbers ${from} to ${to}`,
  chat: {
    lobby: "Lobby",
    unread: (count) => `${count} unread`,
    present: (sessions) => `${sessions} here`,
    you: "You",
    nameless: "Anonymous",
    gap: (count) => (count === 1 ? "1 message is missing here" : `${count} messages are missing here`),
    takenBack: "A message was taken back",
    connecting: "Waiting for the connection",
    empty: "No messages yet",
    noTopics: "This server has no chat",
    noRoom: (name) => `This server has no room for ${name}`,
    readOnly: "On this server you can read here, but not write",
    error: (error) => {
      switch (error.kind) {
        case "notPermitted":
          return "Not sent: you may not write here";
        case "tooLong":
          return "Not sent: the message is too long";
        case "tooFast":
          return `Not sent: too many messages. Try again in ${Math.ceil(error.retryMs / 1_000)} s`;
        case "muted":
          return `Not sent: a moderator muted you for ${error.seconds} s`;
        case "noRoom":
          return "Not sent: this server does not have the room";
        case "disconnected":
          return "Not connected: the message may not have been sent";
        case "unanswered":
          return "No answer: the message may or may not have been sent";
        case "other":
          return `Not sent: ${REFUSALS[error.code] ?? error.message}`;
      }
    },
  },
  alerts: {
    firedCount: (unseen) => `${unseen} fired`,
    condition,
    repeated: "each time",
    pending: "not set yet: waiting for the server",
    refused: (code, why) => `not set: ${REFUSALS[code] ?? why}`,
    beyond: "there already: waits for the next crossing",
    unsupported: "This server has no alerts",
    noneActive: "None for now",
    noneFired: "None yet",
    reached: (price, time) => `${price} at ${time}`,
    remove: (symbol, condition) => `Remove the alert on ${symbol}: ${condition}`,
    invalid: { price: "Enter a price above 0", change: "Enter a change in percent, such as 5 or -5" },
    tooMany: "There are too many alerts. Remove one first",
    notAllowed: "The browser does not allow notifications for this page",
    fired: (symbol, price, met) => `${symbol} at ${formatPrice(price)}. Alert: ${condition(met)}`,
    title: (symbol, price) => `${symbol} ${formatPrice(price)}`,
    missed: (symbol, trades) => `Alerts on ${symbol} did not see ${trades} trades while the connection was lost`,
    show: "Show",
    drag: "Drag to the price of a new alert, or press for the form",
    line: (symbol, condition) => `Alert on ${symbol}: ${condition}. Drag, or move by the arrow keys`,
    marks: { set: "alert set", fired: "alert fired" },
  },
  cities: {
    amsterdam: "Amsterdam",
    chicago: "Chicago",
    frankfurt: "Frankfurt",
    "hong-kong": "Hong Kong",
    johannesburg: "Johannesburg",
    london: "London",
    madrid: "Madrid",
    mumbai: "Mumbai",
    "new-york": "New York",
    paris: "Paris",
    "sao-paulo": "São Paulo",
    seoul: "Seoul",
    shanghai: "Shanghai",
    singapore: "Singapore",
    sydney: "Sydney",
    tokyo: "Tokyo",
    toronto: "Toronto",
    zurich: "Zurich",
  },
  weather: {
    conditions: { clear: "clear", clouds: "clouds", rain: "rain", snow: "snow", fog: "fog" },
    wind: "Wind",
    humidity: "Humidity",
    asOf: (time) => `at ${time}`,
  },
  login: {
    required: "This server requires a key. It is kept until this tab is closed.",
    invalid: "Invalid key or secret.",
  },
};
