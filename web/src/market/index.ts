/** What the page knows of the market, folded from events. Pure: nothing is drawn and nothing is sent here. */
export { Board, type Figures } from "./board";
export { Charts, INTERVALS, type IntervalSeconds } from "./chart";
export { Feed, type Freshness } from "./feed";
export { EDGES_MS, HISTOGRAM, Meter, type Reading } from "./meter";
export { findInstruments } from "./search";
export { DAY_MS, MAX_BARS, Series, type Redraw } from "./series";
export { Spark, SPARK_POINTS, SPARK_STEP_MS } from "./spark";
export { Speed, type Sums } from "./speed";
export { Tape, MAX_LINES, type Print, type Side, type TapeLine } from "./tape";
export { Lists, DEFAULT_SYMBOLS, MAX_SYMBOLS, symbolsAmong, type NamedList } from "./lists";
