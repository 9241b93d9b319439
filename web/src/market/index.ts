/** The state of the market as the dashboard shows it, computed from events. Pure: no DOM, no network. */
export { BarSeries, DAY_MS, MAX_BARS, type ChartUpdate } from "./bar-series";
export { dayChange, placeInRange, type DayChange } from "./day-change";
export { EXCHANGE_TIME_ZONE, ExchangeHours, type SessionPart } from "./exchange-hours";
export { FreshnessTracker, isOutdated, type FeedConnection, type Freshness } from "./freshness";
export { EDGES_MS, HISTOGRAM_BARS, Meter, type Reading } from "./meter";
export { heatOf, heldOrder, MOVER_LISTS, WholeMarket, type MarketSummary, type Mover, type MoverList, type SummarySizes } from "./movers";
export { QuoteBoard, type SymbolState } from "./quote-board";
export { RateMeter, type Totals } from "./rates";
export { FilteredSales, groupsOf, isActive, MIN_SIZES, passes, SALES_GROUPS, type SalesFilter, type SalesGroup } from "./sales-filter";
export { findInstruments } from "./search";
export { sessionBands, type SessionBand } from "./session-bands";
export { Sparkline, SPARKLINE_POINTS, SPARKLINE_STEP_MS } from "./sparkline";
export { INTERVALS, SymbolBars, type IntervalSeconds } from "./symbol-bars";
export { MAX_ROWS, TimeAndSales, type Merged, type Print, type PrintMark, type RevisedPrice, type SalesRow, type Side } from "./time-and-sales";
export { countThatFits, misplacedShare, neighbourOf, squarify, type Direction, type Rect } from "./treemap";
export { DEFAULT_SYMBOLS, MAX_SYMBOLS, symbolsIn, validSymbols, Watchlists, type Removed, type Watchlist } from "./watchlists";
