import type { TickerField } from "@tapecast/client";
import type { ColDef } from "ag-grid-community";
import { dayChange, figuresOf, placeInRange } from "../market";
import { COLUMNS, type ColumnId } from "../strings";
import type { AnyRow, GridRow } from "./grid-rows";

type Shape = Pick<
  ColDef<AnyRow>,
  "width" | "minWidth" | "maxWidth" | "flex" | "hide" | "sortable" | "resizable" | "suppressMovable" | "lockPosition" | "cellClass" | "headerClass" | "sortingOrder"
>;

/**
 * A column that is never narrower than this and takes its share of a wider screen, so that the columns stay apart evenly.
 * Its widest content fits into the least width, so that changes cause no layout shift.
 */
const share = (minWidth: number, flex = minWidth): Shape => ({ minWidth, flex });

/** A column of numbers, right-aligned. */
const figure = (minWidth: number): Shape => ({ ...share(minWidth), cellClass: "c-figure", headerClass: "c-figure" });

const fixed: Shape = { sortable: false, resizable: false, suppressMovable: true };

const WIDE: Readonly<Record<ColumnId, Shape>> = {
  symbol: { ...share(110), cellClass: "c-symbol", headerClass: "c-symbol" },
  name: { ...share(100, 210), maxWidth: 300, cellClass: "c-name" },
  last: { ...figure(98), cellClass: "c-figure c-last" },
  spark: { ...share(104, 230), maxWidth: 480, cellClass: "c-spark" },
  change: figure(86),
  percent: figure(86),
  bid: { ...figure(142), cellClass: "c-figure c-quote" },
  ask: { ...figure(142), cellClass: "c-figure c-quote" },
  volume: figure(90),
  range: { ...figure(220), cellClass: "c-figure c-range" },
  position: { ...figure(150), cellClass: "c-figure c-quote" },
  value: figure(104),
  dayProfit: figure(94),
  profit: figure(100),
  profitPercent: figure(84),
  remove: { ...fixed, width: 42, minWidth: 42, lockPosition: "right", cellClass: "c-remove", headerClass: "c-remove" },
};

/** The columns that fit on a phone. The column menu shows the others. */
const SHOWN_NARROW: readonly ColumnId[] = ["symbol", "last", "spark", "percent", "profit"];

const NARROW: Readonly<Record<ColumnId, Shape>> = {
  ...(Object.fromEntries(COLUMNS.map((id) => [id, { ...WIDE[id], hide: !SHOWN_NARROW.includes(id) }])) as Record<ColumnId, Shape>),
  symbol: { ...WIDE.symbol, ...share(98) },
  last: { ...WIDE.last, ...share(88) },
  spark: { ...WIDE.spark, ...share(60, 120) },
  percent: { ...figure(94), cellClass: "c-figure c-edge", headerClass: "c-figure c-edge" },
  profit: { ...figure(112), cellClass: "c-figure c-edge", headerClass: "c-figure c-edge" },
};

const SHAPES = { wide: WIDE, narrow: NARROW } as const;

/** The column layout of wide screens or of phones. */
export type GridMode = keyof typeof SHAPES;

/** Below this width of the window the grid has the columns of a phone. */
const NARROW_PX = 640;

export const modeOf = (windowWidth: number): GridMode => (windowWidth < NARROW_PX ? "narrow" : "wide");

/** The order in which columns make room when they do not all fit. The symbol and its price always stay. */
const MAKE_ROOM: readonly ColumnId[] = ["range", "spark", "name", "volume", "ask", "bid", "change", "remove", "dayProfit", "value", "position", "profitPercent", "percent", "profit"];

/** A column that the user did not hide. */
export interface ColumnNeed {
  readonly id: ColumnId;
  /** The least width at which nothing of it is cut. */
  readonly width: number;
}

/** The columns to leave out so that the others fit. Those that the user asked for go last. */
export function columnsToHide(needs: readonly ColumnNeed[], available: number, asked: ReadonlySet<ColumnId>): ReadonlySet<ColumnId> {
  const hidden = new Set<ColumnId>();
  let needed = needs.reduce((sum, { width }) => sum + width, 0);
  for (const id of [...MAKE_ROOM.filter((one) => !asked.has(one)), ...MAKE_ROOM.filter((one) => asked.has(one))]) {
    const column = needs.find((need) => need.id === id);
    if (needed <= available || column === undefined) continue;
    hidden.add(id);
    needed -= column.width;
  }
  return hidden;
}

/** The text size that the widths above are made for. */
const TEXT_PX = 13;

/** The column definition for a screen and text size. */
export function shapeOf(id: ColumnId, mode: GridMode, textPx: number): Shape & { readonly hide: boolean } {
  const shape = SHAPES[mode][id];
  const scaled = (px: number) => Math.round((px * textPx) / TEXT_PX);
  return {
    ...shape,
    // Explicit, because the columns of a phone hide what those of a wide screen show.
    hide: shape.hide ?? false,
    ...(shape.width === undefined ? {} : { width: scaled(shape.width) }),
    ...(shape.minWidth === undefined ? {} : { minWidth: scaled(shape.minWidth) }),
    ...(shape.maxWidth === undefined ? {} : { maxWidth: scaled(shape.maxWidth) }),
  };
}

/** A row as tab-separated text for spreadsheets: these columns, with plain numbers. */
export function rowText(columns: readonly ColumnId[], row: GridRow): string {
  return columns.flatMap((id) => fieldsOf(id, row)).join("\t");
}

function fieldsOf(id: ColumnId, { symbol, name, position, state: { ticker } }: GridRow): readonly (string | number)[] {
  if (id === "symbol") return [symbol];
  if (id === "name") return [name];
  if (id === "spark" || id === "remove") return [];
  if (id === "position") return position === undefined ? ["", ""] : [position.quantity, position.cost];
  if (ticker === undefined) return id === "bid" || id === "ask" || id === "range" ? ["", ""] : [""];
  const { last, bid, bidSize, ask, askSize, volume, low, high } = ticker;
  const [change, figures] = [dayChange(ticker), position && figuresOf(position, ticker)];
  return {
    last: [last ?? ""],
    change: [change?.dollars.toFixed(2) ?? ""],
    percent: [change === undefined ? "" : `${(change.ratio * 100).toFixed(2)}%`],
    bid: bid === undefined ? ["", ""] : [bid, bidSize ?? ""],
    ask: ask === undefined ? ["", ""] : [ask, askSize ?? ""],
    volume: [volume ?? ""],
    range: [low ?? "", high ?? ""],
    value: [figures?.value.toFixed(2) ?? ""],
    dayProfit: [figures?.dayProfit?.toFixed(2) ?? ""],
    profit: [figures?.profit.toFixed(2) ?? ""],
    profitPercent: [figures?.profitRatio === undefined ? "" : `${(figures.profitRatio * 100).toFixed(2)}%`],
  }[id];
}

/** What of a ticker each column shows, is sorted by and copied as. */
const TICKER_FIELDS: Readonly<Record<ColumnId, readonly TickerField[]>> = {
  symbol: [],
  name: [],
  last: ["last", "previousClose"],
  spark: ["last", "previousClose"],
  change: ["last", "previousClose"],
  percent: ["last", "previousClose"],
  bid: ["bid", "bidSize"],
  ask: ["ask", "askSize"],
  volume: ["volume"],
  range: ["last", "low", "high"],
  position: [],
  value: ["last"],
  dayProfit: ["last", "previousClose"],
  profit: ["last"],
  profitPercent: ["last"],
  remove: [],
};

/** What of a ticker these columns need. */
export const tickerFieldsOf = (columns: readonly ColumnId[]): readonly TickerField[] => [...new Set(columns.flatMap((id) => TICKER_FIELDS[id]))];

/** The value that a column is sorted by. */
export function sortValueOf(id: ColumnId, { symbol, name, position, state: { ticker, sparkline } }: GridRow): string | number | undefined {
  switch (id) {
    case "symbol":
      return symbol;
    case "name":
      return name;
    case "last":
      return ticker?.last;
    case "spark":
      return sparkline.change;
    case "change":
      return dayChange(ticker)?.dollars;
    case "percent":
      return dayChange(ticker)?.ratio;
    case "bid":
      return ticker?.bid;
    case "ask":
      return ticker?.ask;
    case "volume":
      return ticker?.volume;
    case "range":
      return placeInRange(ticker);
    case "position":
      return position?.quantity;
    case "value":
      return position && figuresOf(position, ticker)?.value;
    case "dayProfit":
      return position && figuresOf(position, ticker)?.dayProfit;
    case "profit":
      return position && figuresOf(position, ticker)?.profit;
    case "profitPercent":
      return position && figuresOf(position, ticker)?.profitRatio;
    case "remove":
      return undefined;
  }
}
