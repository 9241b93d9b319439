import { formatChange, formatPercent, formatPrice, formatQuantity, formatRoundedPrice } from "../format";
import { figuresOf, type PositionFigures } from "../market";
import type { ColumnId, Strings } from "../strings";
import { make, setText } from "./dom";
import { Figure, signOf } from "./figure";
import type { Cell, TotalRow } from "./grid-rows";

/** The columns of positions. They are hidden while the list has none. */
export const POSITION_COLUMNS = ["position", "value", "dayProfit", "profit", "profitPercent"] as const;

type PositionColumn = (typeof POSITION_COLUMNS)[number];

/** A cell of the row of the total. */
export interface TotalCell {
  readonly node: HTMLElement;
  draw(row: TotalRow): void;
}

/** How a column shows the figures of one position or of all. */
const SHOW: Readonly<Record<Exclude<PositionColumn, "position">, (figure: Figure, figures: PositionFigures | undefined) => void>> = {
  value: (figure, figures) => {
    figure.show(figures?.value, formatRoundedPrice);
  },
  dayProfit: (figure, figures) => {
    showProfit(figure, figures?.dayProfit);
  },
  profit: (figure, figures) => {
    showProfit(figure, figures?.profit);
  },
  profitPercent: (figure, figures) => {
    figure.show(figures?.profitRatio, formatPercent);
    figure.setSign(signOf(figures?.profitRatio ?? 0));
  },
};

function showProfit(figure: Figure, dollars: number | undefined): void {
  figure.show(dollars, formatChange);
  figure.setSign(signOf(dollars ?? 0));
}

/** A cell is empty, not `–`, where the symbol has no position. */
function figureCell(column: Exclude<PositionColumn, "position">): Cell {
  const figure = new Figure();
  const node = make("span", "", figure.node);
  return {
    node,
    draw: ({ position, state: { ticker } }) => {
      figure.node.hidden = position === undefined;
      SHOW[column](figure, position && figuresOf(position, ticker));
    },
  };
}

function positionCell(): Cell {
  const [quantity, cost] = [new Figure(), new Figure()];
  const node = make("span", "sized position", quantity.node, make("span", "size", "×", cost.node));
  return {
    node,
    draw: ({ position }) => {
      node.hidden = position === undefined;
      quantity.show(position?.quantity, formatQuantity);
      cost.show(position?.cost, formatPrice);
    },
  };
}

export const POSITION_CELLS: Readonly<Record<PositionColumn, () => Cell>> = {
  position: positionCell,
  value: () => figureCell("value"),
  dayProfit: () => figureCell("dayProfit"),
  profit: () => figureCell("profit"),
  profitPercent: () => figureCell("profitPercent"),
};

/** The cell of a column in the row of the total. */
export function totalCell(column: ColumnId, strings: () => Strings): TotalCell {
  if (column === "symbol" || column === "name") return totalTextCell(column, strings);
  if (column === "value" || column === "dayProfit" || column === "profit" || column === "profitPercent") {
    const figure = new Figure();
    return {
      node: figure.node,
      draw: ({ figures }) => {
        SHOW[column](figure, figures);
      },
    };
  }
  return { node: make("span", ""), draw: () => undefined };
}

function totalTextCell(column: "symbol" | "name", strings: () => Strings): TotalCell {
  const node = make("span", column === "symbol" ? "total-name" : "text");
  return {
    node,
    draw: ({ figures }) => {
      const { total, withoutPrice } = strings().rows;
      const missing = figures === undefined || figures.withoutPrice === 0 ? "" : withoutPrice(figures.withoutPrice);
      setText(node, column === "symbol" ? total : missing);
      if (node.title !== missing) node.title = missing;
    },
  };
}
