import { formatChange, formatCount, formatPercent, formatPrice, formatRoundedPrice } from "../format";
import { dayChange, placeInRange, type Flag, type SymbolState } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { ColumnId, Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { daySign, Figure } from "./figure";
import { flagMark } from "./flag-mark";
import type { Flashes } from "./flashes";
import type { Cell, GridRow } from "./grid-rows";
import { icon } from "./icons";
import { POSITION_CELLS } from "./position-cells";
import { SparklineView, type SparklineQueue } from "./sparklines";

/** What cells need from the grid. */
export interface CellContext {
  readonly strings: () => Strings;
  readonly flashes: Flashes;
  readonly sparklines: SparklineQueue;
  readonly remove: (symbol: StockSymbol) => void;
  /** Whether an alert is set on a symbol, or fired and was not seen. */
  readonly alertMark: (symbol: StockSymbol) => "none" | "set" | "fired";
}

type CellMaker = (context: CellContext) => Cell;

/** Creates the cell of each column. */
export const CELLS: Readonly<Record<ColumnId, CellMaker>> = {
  symbol: (context) => symbolCell(context),
  name: () => textCell(({ name }) => name),
  last: ({ flashes }) => figureCell((figure, { ticker }) => {
    figure.showWithFlash(ticker?.last, formatPrice, flashes);
    figure.setSign(daySign(ticker));
  }),
  spark: ({ sparklines }) => sparklineCell(sparklines),
  change: () => figureCell((figure, { ticker }) => {
    const change = dayChange(ticker);
    figure.show(change?.dollars, formatChange);
    figure.setSign(daySign(ticker));
  }),
  percent: () => figureCell((figure, { ticker }) => {
    const change = dayChange(ticker);
    figure.show(change?.ratio, formatPercent);
    figure.setSign(daySign(ticker));
  }),
  bid: ({ flashes }) => sizedCell(flashes, ({ ticker }) => [ticker?.bid, ticker?.bidSize]),
  ask: ({ flashes }) => sizedCell(flashes, ({ ticker }) => [ticker?.ask, ticker?.askSize]),
  volume: (context) => figureCell((figure, { ticker }) => {
    figure.show(ticker?.volume, context.strings().short);
  }),
  range: () => rangeCell(),
  ...POSITION_CELLS,
  remove: (context) => removeCell(context),
};

function textCell(textOf: (row: GridRow) => string): Cell {
  const node = make("span", "text");
  return {
    node,
    draw: (row) => {
      setText(node, textOf(row));
    },
  };
}

function figureCell(draw: (figure: Figure, state: Readonly<SymbolState>) => void): Cell {
  const figure = new Figure();
  return {
    node: figure.node,
    draw: ({ state }) => {
      draw(figure, state);
    },
  };
}

function symbolCell(context: CellContext): Cell {
  const [symbol, badge] = [make("b", "symbol"), make("span", "badge")];
  const [alert, flagWords] = [make("span", "visually-hidden"), make("span", "visually-hidden")];
  // Not a button: the keyboard and the row's menu set flags too.
  const flagBox = make("span", "flag", flagMark(undefined));
  const node = make("span", "symbol-cell", flagBox, symbol, badge, alert, flagWords);
  badge.hidden = true;
  let shown: Flag | undefined;
  return {
    node,
    draw: ({ symbol: text, state, flag }) => {
      setText(symbol, text);
      if (flag !== shown) flagBox.replaceChildren(flagMark(flag));
      shown = flag;
      setText(flagWords, flag === undefined ? "" : context.strings().rows.flags[flag]);
      const mark = context.alertMark(text);
      setData(node, "alert", mark);
      setText(alert, mark === "none" ? "" : context.strings().alerts.marks[mark]);
      const kind = state.isUnknown ? "unknown" : state.trading;
      if (badge.dataset["kind"] === kind) return;
      badge.dataset["kind"] = kind;
      badge.hidden = kind === "open";
      const strings = context.strings();
      badge.title = kind === "unknown" ? strings.unknownSymbol : strings.halted(state.reason);
      setText(badge, kind === "unknown" ? strings.unknownShort : strings.haltedShort);
    },
  };
}

function sizedCell(flashes: Flashes, of: (state: Readonly<SymbolState>) => readonly [number | undefined, number | undefined]): Cell {
  const [price, size] = [new Figure(), new Figure()];
  const node = make("span", "sized", price.node, make("span", "size", "×", size.node));
  return {
    node,
    draw: ({ state }) => {
      const [newPrice, newSize] = of(state);
      price.showWithFlash(newPrice, formatPrice, flashes);
      size.show(newSize, formatCount);
    },
  };
}

function rangeCell(): Cell {
  const [low, high] = [new Figure(), new Figure()];
  const marker = make("span", "marker");
  const node = make("span", "range", low.node, make("span", "track", marker), high.node);
  let shown = "";
  return {
    node,
    draw: ({ state: { ticker } }) => {
      if (ticker === undefined) return;
      low.show(ticker.low, formatRoundedPrice);
      high.show(ticker.high, formatRoundedPrice);
      const text = `translateX(${((placeInRange(ticker) ?? 0.5) * TRACK_EM).toFixed(2)}em)`;
      if (text === shown) return;
      shown = text;
      marker.style.transform = text;
    },
  };
}

/** The width of the track in the style sheet, less its marker. */
const TRACK_EM = 4.9;

function sparklineCell(sparklines: SparklineQueue): Cell {
  const view = new SparklineView(sparklines);
  return {
    node: view.node,
    draw: ({ state: { sparkline, ticker } }) => {
      view.show(sparkline, { sign: daySign(ticker), previousClose: ticker?.previousClose });
    },
  };
}

function removeCell({ remove, strings }: CellContext): Cell {
  const node = make("button", "remove", icon("close"));
  node.type = "button";
  node.tabIndex = -1;
  let symbol: StockSymbol | undefined;
  node.addEventListener("click", (click) => {
    click.stopPropagation();
    if (symbol !== undefined) remove(symbol);
  });
  return {
    node,
    draw: (row) => {
      if (row.symbol === symbol) return;
      symbol = row.symbol;
      node.ariaLabel = strings().remove(symbol);
    },
  };
}
