import type { Flag, Position, SymbolState, TotalFigures } from "../market";
import type { StockSymbol } from "@tapecast/client";

/** A symbol of the watchlist. The object stays the same while its symbol is watched; its state changes. */
export interface GridRow {
  readonly kind: "symbol";
  readonly symbol: StockSymbol;
  name: string;
  flag: Flag | undefined;
  position: Position | undefined;
  /** The id of the row of its section. */
  readonly section: string | undefined;
  readonly state: Readonly<SymbolState>;
}

/** A section, over the rows of its symbols. */
export interface SectionRow {
  readonly kind: "section";
  readonly id: string;
  readonly name: string;
  readonly isFolded: boolean;
  /** The number of its symbols, shown or not. */
  readonly count: number;
}

/** The sum of the positions, at the bottom of the grid. */
export interface TotalRow {
  readonly kind: "total";
  figures: TotalFigures | undefined;
}

export type AnyRow = GridRow | SectionRow | TotalRow;

const TOTAL_ID = "total row";

/** Identifies a row in the grid. A symbol contains no space. */
export function rowIdOf(row: AnyRow): string {
  if (row.kind === "total") return TOTAL_ID;
  return row.kind === "symbol" ? row.symbol : row.id;
}

/** The content of a cell of a symbol's row. */
export interface Cell {
  readonly node: HTMLElement;
  draw(row: GridRow): void;
}
