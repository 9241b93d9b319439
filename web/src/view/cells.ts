import { formatChange, formatCount, formatPercent, formatPrice } from "../format";
import type { SymbolState } from "../market";
import type { StockSymbol } from "../model";
import type { ColumnId, Strings } from "../strings";
import { Figure, signOf } from "./cell";
import { make, setText } from "./dom";
import type { Flashes } from "./flashes";
import { SparkLine, type Sparks } from "./sparks";

/** A line of the board. It is the same object for as long as its symbol is watched; what it holds changes. */
export interface Row {
  readonly symbol: StockSymbol;
  name: string;
  readonly figures: Readonly<SymbolState>;
}

/** What is drawn in one place of the board: it draws itself when its row has changed. */
export interface Cell {
  readonly node: HTMLElement;
  draw(row: Row): void;
}

/** What cells need of the runtime: the strings in use, who fades and who draws lines, and a way to remove their row. */
export interface CellContext {
  readonly strings: () => Strings;
  readonly flashes: Flashes;
  readonly sparks: Sparks;
  readonly remove: (symbol: StockSymbol) => void;
}

/** A zero stands for: not quoted yet. */
const quoted = (price: number | undefined): number | undefined => (price === 0 ? undefined : price);

type CellMaker = (context: CellContext) => Cell;

/** One maker for each column. */
export const CELLS: Readonly<Record<ColumnId, CellMaker>> = {
  symbol: (context) => symbolCell(context),
  name: () => textCell(({ name }) => name),
  last: ({ flashes }) => figureCell((figure, { ticker }) => {
    figure.flash(ticker?.last, formatPrice, flashes);
  }),
  spark: ({ sparks }) => sparkCell(sparks),
  change: () => figureCell((figure, { ticker }) => {
    if (ticker === undefined) return;
    figure.show(ticker.last - ticker.previousClose, formatChange);
    figure.sign(signOf(ticker.last - ticker.previousClose));
  }),
  percent: () => figureCell((figure, { ticker }) => {
    if (ticker === undefined) return;
    figure.show(ticker.last / ticker.previousClose - 1, formatPercent);
    figure.sign(signOf(ticker.last - ticker.previousClose));
  }),
  bid: ({ flashes }) => sizedCell(flashes, ({ ticker }) => [quoted(ticker?.bid), ticker?.bidSize]),
  ask: ({ flashes }) => sizedCell(flashes, ({ ticker }) => [quoted(ticker?.ask), ticker?.askSize]),
  volume: (context) => figureCell((figure, { ticker }) => {
    figure.show(ticker?.volume, context.strings().short);
  }),
  range: () => rangeCell(),
  remove: (context) => removeCell(context),
};

function textCell(textOf: (row: Row) => string): Cell {
  const node = make("span", "text");
  return {
    node,
    draw: (row) => {
      setText(node, textOf(row));
    },
  };
}

function figureCell(draw: (figure: Figure, figures: Readonly<SymbolState>) => void): Cell {
  const figure = new Figure();
  return {
    node: figure.node,
    draw: ({ figures }) => {
      draw(figure, figures);
    },
  };
}

function symbolCell(context: CellContext): Cell {
  const [symbol, badge] = [make("b", "symbol"), make("span", "badge")];
  const node = make("span", "who", symbol, badge);
  badge.hidden = true;
  return {
    node,
    draw: ({ symbol: text, figures: { trading, reason } }) => {
      setText(symbol, text);
      const isHalted = trading === "halted";
      if (badge.hidden !== isHalted) return;
      badge.hidden = !isHalted;
      badge.title = context.strings().halted(reason);
      setText(badge, context.strings().haltedShort);
    },
  };
}

function sizedCell(flashes: Flashes, of: (figures: Readonly<SymbolState>) => readonly [number | undefined, number | undefined]): Cell {
  const [price, size] = [new Figure(), new Figure()];
  const node = make("span", "sized", price.node, make("span", "size", "×", size.node));
  return {
    node,
    draw: ({ figures }) => {
      const [newPrice, newSize] = of(figures);
      price.flash(newPrice, formatPrice, flashes);
      size.show(newSize, formatCount);
    },
  };
}

function rangeCell(): Cell {
  const [low, high] = [new Figure(), new Figure()];
  const mark = make("span", "mark");
  const node = make("span", "range", low.node, make("span", "track", mark), high.node);
  let shown = "";
  return {
    node,
    draw: ({ figures: { ticker } }) => {
      if (ticker === undefined) return;
      low.show(ticker.low, formatPrice);
      high.show(ticker.high, formatPrice);
      const width = ticker.high - ticker.low;
      const place = width > 0 ? (ticker.last - ticker.low) / width : 0.5;
      const text = `translateX(${(Math.min(1, Math.max(0, place)) * TRACK_EM).toFixed(2)}em)`;
      if (text === shown) return;
      shown = text;
      mark.style.transform = text;
    },
  };
}

/** As wide as the style sheet makes the track, less its mark. */
const TRACK_EM = 4.9;

function sparkCell(sparks: Sparks): Cell {
  const line = new SparkLine(sparks);
  return {
    node: line.node,
    draw: ({ figures: { sparkline } }) => {
      line.show(sparkline);
    },
  };
}

function removeCell({ remove, strings }: CellContext): Cell {
  const node = make("button", "remove", "×");
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
