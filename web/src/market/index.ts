/** What the page knows of the market, folded from events. Pure: nothing is drawn and nothing is sent here. */
export { Board, type Day, type Figures } from "./board";
export { Charts, INTERVALS, type IntervalSeconds } from "./chart";
export { Meter, type Reading } from "./meter";
export { findInstruments } from "./search";
export { MAX_BARS, Series, type Redraw } from "./series";
export { MAX_SYMBOLS, Watchlist } from "./watchlist";
