import {
  CellApiModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  CellStyleModule,
  ColumnApiModule,
  createGrid,
  EventApiModule,
  LocaleModule,
  ModuleRegistry,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  TooltipModule,
  type ColDef,
  type ColumnState,
  type GridApi,
  type GridOptions,
  type ICellRendererComp,
  type ICellRendererParams,
  type IRowNode,
} from "ag-grid-community";
import type { StockSymbol } from "../model";
import { COLUMNS, type ColumnId, type Strings } from "../strings";
import { CELLS, type Cell, type CellContext, type Row } from "./cells";
import { shapeOf, sortValueOf } from "./columns";
import { byId } from "./dom";
import type { Flashes } from "./flashes";
import type { Sparks } from "./sparks";

ModuleRegistry.registerModules([
  CellApiModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  CellStyleModule,
  ColumnApiModule,
  EventApiModule,
  LocaleModule,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  TooltipModule,
]);

/** Whom the board tells what was done with it. */
export interface GridActions {
  readonly strings: () => Strings;
  readonly flashes: Flashes;
  readonly sparks: Sparks;
  readonly select: (symbol: StockSymbol) => void;
  readonly remove: (symbol: StockSymbol) => void;
  /** The columns were moved, sized, hidden or sorted; as text to be kept. */
  readonly arranged: (columns: string) => void;
}

/** Rows that are kept up above and below those in sight: they cost what the others cost, and a wheel's turn is three. */
const ROWS_OUT_OF_SIGHT = 3;

/** How often the rows are put in order again while figures change: a board that jumps more often cannot be read. */
const SORT_MS = 1_000;

/**
 * The watchlist as a grid. The grid places cells (columns, order, scrolling, keyboard); what is in a cell
 * draws itself, so that a tick costs the nodes that show it and no more.
 */
export class Grid {
  private readonly box = byId("board", HTMLElement);
  private readonly empty = byId("board-empty", HTMLElement);
  private readonly api: GridApi<Row>;
  private readonly actions: GridActions;
  private readonly rows = new Map<StockSymbol, Row>();
  /** The cells that are on the screen. */
  private readonly live = new Map<StockSymbol, Set<Cell>>();
  private sortedAt = 0;
  private isArranging = false;

  /** The first rows come with it: a grid that is made empty would be laid out twice. */
  constructor(actions: GridActions, columns: string | undefined, width: "wide" | "narrow", rows: readonly Row[]) {
    this.actions = actions;
    this.keep(rows);
    this.api = createGrid(this.box, this.options(width, rows));
    this.arrange(columns);
    for (const event of ["columnMoved", "columnResized", "columnVisible", "sortChanged"] as const) {
      this.api.addEventListener(event, () => {
        if (!this.isArranging) actions.arranged(JSON.stringify(this.api.getColumnState()));
      });
    }
  }

  /** Shows these rows and no others. */
  show(rows: readonly Row[]): void {
    this.keep(rows);
    this.api.setGridOption("rowData", [...rows]);
  }

  drawAll(): void {
    for (const symbol of this.rows.keys()) this.draw(symbol);
  }

  draw(symbol: StockSymbol): void {
    const row = this.rows.get(symbol);
    if (row !== undefined) this.live.get(symbol)?.forEach((cell) => { cell.draw(row); });
  }

  /** Puts the rows in order again, if they are sorted by what changes. */
  keepSorted(now: number): void {
    if (now - this.sortedAt < SORT_MS) return;
    this.sortedAt = now;
    const isSorted = this.api.getColumnState().some(({ sort }) => sort !== null && sort !== undefined);
    if (isSorted) this.api.refreshClientSideRowModel("sort");
  }

  select(symbol: StockSymbol | undefined): void {
    const node = this.nodeOf(symbol);
    if (node === undefined) return;
    if (!(node.isSelected() ?? false)) node.setSelected(true, true);
    this.api.ensureNodeVisible(node);
  }

  /** The symbol so many rows below this one, as the board is sorted; inside the board. */
  neighbour(symbol: StockSymbol | undefined, rows: number): StockSymbol | undefined {
    const at = this.nodeOf(symbol)?.rowIndex ?? -1;
    const last = this.api.getDisplayedRowCount() - 1;
    return this.api.getDisplayedRowAtIndex(Math.min(Math.max(at + rows, 0), last))?.data?.symbol;
  }

  focus(symbol: StockSymbol | undefined): void {
    this.api.setFocusedCell(this.nodeOf(symbol)?.rowIndex ?? 0, "symbol");
  }

  /** From the headers the tabulator goes on to the selected row; answers whether there is one. */
  private leaveHeaders(press: KeyboardEvent): boolean {
    const at = this.api.getSelectedNodes()[0]?.rowIndex ?? undefined;
    if (press.key !== "Tab" || press.shiftKey || at === undefined) return false;
    press.preventDefault();
    this.api.setFocusedCell(at, "symbol");
    return true;
  }

  get hasFocus(): boolean {
    return this.box.contains(document.activeElement);
  }

  /** The columns in their present order, and which of them are shown. */
  columns(): readonly { readonly id: ColumnId; readonly isShown: boolean }[] {
    const state = this.api.getColumnState();
    return state.flatMap(({ colId, hide }) => {
      const id = COLUMNS.find((column) => column === colId);
      return id === undefined ? [] : [{ id, isShown: hide !== true }];
    });
  }

  setShown(id: ColumnId, shown: "shown" | "hidden"): void {
    this.api.setColumnsVisible([id], shown === "shown");
  }

  /** As the page was made. */
  reset(): void {
    this.api.resetColumnState();
  }

  /** Another language: headers, and everything that strings are in. */
  translate(): void {
    const { columns } = this.actions.strings();
    this.api.setGridOption("columnDefs", (this.api.getColumnDefs() ?? []).map((column) => {
      const id = COLUMNS.find((known) => "colId" in column && column.colId === known);
      return id === undefined ? column : { ...column, headerName: columns[id].head, headerTooltip: columns[id].tip };
    }));
    this.api.refreshHeader();
    this.api.refreshCells({ force: true });
  }

  private keep(rows: readonly Row[]): void {
    this.rows.clear();
    for (const row of rows) this.rows.set(row.symbol, row);
    this.empty.hidden = rows.length > 0;
  }

  private arrange(columns: string | undefined): void {
    if (columns === undefined) return;
    this.isArranging = true;
    try {
      const state = JSON.parse(columns) as unknown;
      if (Array.isArray(state)) this.api.applyColumnState({ state: state as ColumnState[], applyOrder: true });
    } catch {
      // What was kept makes no sense any more: the columns are as the page was made.
    }
    this.isArranging = false;
  }

  private nodeOf(symbol: StockSymbol | undefined): IRowNode<Row> | undefined {
    return symbol === undefined ? undefined : this.api.getRowNode(symbol);
  }

  private options(width: "wide" | "narrow", rows: readonly Row[]): GridOptions<Row> {
    const style = getComputedStyle(this.box);
    const sizeOf = (name: string) => Number.parseFloat(style.getPropertyValue(name));
    return {
      // The theme is a style sheet of ours: nothing is injected, so the content policy may stay strict.
      theme: "legacy",
      rowData: [...rows],
      rowBuffer: ROWS_OUT_OF_SIGHT,
      rowHeight: sizeOf("--row"),
      headerHeight: sizeOf("--head"),
      columnDefs: COLUMNS.map((id) => this.columnOf(id, width, Number.parseFloat(style.fontSize))),
      defaultColDef: { resizable: true, sortable: true, suppressHeaderMenuButton: true, suppressKeyboardEvent: isOurs, suppressHeaderKeyboardEvent: ({ event }) => this.leaveHeaders(event) },
      getRowId: ({ data }) => data.symbol,
      rowSelection: { mode: "singleRow", checkboxes: false, enableClickSelection: true },
      // One stop for the headers, one for the rows, as the ARIA guide has it: arrows move inside, the tabulator on.
      tabToNextHeader: () => false,
      tabToNextCell: () => false,
      suppressDragLeaveHidesColumns: true,
      suppressColumnMoveAnimation: true,
      suppressNoRowsOverlay: true,
      // Rows come with the frame that asks for them, not with the next.
      suppressAnimationFrame: true,
      animateRows: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      enableBrowserTooltips: true,
      // Both come when the browser has time, and what they carry may be over: who answered it, and was told of that
      // in turn, would go to and fro between two rows for ever. So they say no more than where to look.
      onSelectionChanged: ({ api }) => {
        const symbol = api.getSelectedNodes()[0]?.data?.symbol;
        if (symbol !== undefined) this.actions.select(symbol);
      },
      onCellFocused: ({ api }) => {
        const at = api.getFocusedCell()?.rowIndex;
        const symbol = at === undefined ? undefined : api.getDisplayedRowAtIndex(at)?.data?.symbol;
        if (symbol !== undefined) this.select(symbol);
      },
    };
  }

  private columnOf(id: ColumnId, width: "wide" | "narrow", textPx: number): ColDef<Row> {
    const { head, tip } = this.actions.strings().columns[id];
    return {
      colId: id,
      headerName: head,
      headerTooltip: tip,
      valueGetter: ({ data }) => data && sortValueOf(id, data),
      cellRenderer: this.rendererOf(id),
      ...shapeOf(id, width, textPx),
    };
  }

  /** The grid makes and drops cells as rows come into sight; the board knows those that are there. */
  private rendererOf(id: ColumnId): new () => ICellRendererComp<Row> {
    const [{ live }, context] = [this, this.context()];
    return class implements ICellRendererComp<Row> {
      private readonly cell = CELLS[id](context);
      private row: Row | undefined;

      init({ data }: ICellRendererParams<Row>): void {
        this.row = data;
        if (data === undefined) return;
        const cells = live.get(data.symbol) ?? new Set();
        live.set(data.symbol, cells.add(this.cell));
        this.cell.draw(data);
      }

      getGui(): HTMLElement {
        return this.cell.node;
      }

      refresh({ data }: ICellRendererParams<Row>): boolean {
        if (data !== this.row) return false;
        if (data !== undefined) this.cell.draw(data);
        return true;
      }

      destroy(): void {
        if (this.row !== undefined) live.get(this.row.symbol)?.delete(this.cell);
      }
    };
  }

  private context(): CellContext {
    const { strings, flashes, sparks, remove } = this.actions;
    return { strings, flashes, sparks, remove };
  }
}

/** Keys that mean something to the page are not for the grid. */
function isOurs({ event }: { readonly event: KeyboardEvent }): boolean {
  return ["Delete", "Backspace", " "].includes(event.key);
}
