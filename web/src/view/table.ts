import type { Figures } from "../market";
import type { StockSymbol } from "../model";
import { byId } from "./dom";
import { Row, type RowActions } from "./row";

/** The watchlist as a table: one row for each symbol, made when it is added and gone when it is removed. */
export class Table {
  private readonly body = byId("rows", HTMLTableSectionElement);
  private readonly empty = byId("board-empty", HTMLElement);
  private readonly rows = new Map<StockSymbol, Row>();
  private readonly actions: RowActions;
  private selected: StockSymbol | undefined;

  constructor(actions: RowActions) {
    this.actions = actions;
  }

  add(symbol: StockSymbol): void {
    const row = new Row(symbol, this.actions);
    this.rows.set(symbol, row);
    this.body.append(row.node);
    this.empty.hidden = true;
  }

  remove(symbol: StockSymbol): void {
    this.rows.get(symbol)?.node.remove();
    this.rows.delete(symbol);
    this.empty.hidden = this.rows.size > 0;
  }

  setName(symbol: StockSymbol, name: string): void {
    this.rows.get(symbol)?.setName(name);
  }

  select(symbol: StockSymbol | undefined): void {
    if (symbol === this.selected) return;
    const before = this.rowOf(this.selected);
    const after = this.rowOf(symbol);
    const movesFocus = before === undefined || before.hasFocus;
    before?.setSelected("not selected");
    after?.setSelected("selected");
    if (movesFocus && this.selected !== undefined) after?.focus();
    this.selected = symbol;
  }

  draw(symbol: StockSymbol, figures: Readonly<Figures>): void {
    this.rows.get(symbol)?.draw(figures);
  }

  private rowOf(symbol: StockSymbol | undefined): Row | undefined {
    return symbol === undefined ? undefined : this.rows.get(symbol);
  }
}
