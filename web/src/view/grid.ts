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
import { CELLS, type Cell, type CellContext, type GridRow } from "./cells";
import { rowText, shapeOf, sortValueOf } from "./columns";
import { byId } from "./dom";
import type { Flashes } from "./flashes";
import type { SparklineQueue } from "./sparklines";

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

/** What the grid needs from the dashboard. */
export interface GridActions {
  readonly strings: () => Strings;
  readonly flashes: Flashes;
  readonly sparklines: SparklineQueue;
  readonly select: (symbol: StockSymbol) => void;
  readonly remove: (symbol: StockSymbol) => void;
  /** Called with the serialised layout when columns were moved, resized, hidden or sorted. */
  readonly columnsChanged: (columns: string) => void;
}

/** Rows rendered above and below the visible ones: one step of a mouse wheel. Each costs as much as a visible row. */
const ROW_BUFFER = 3;

/** Minimum time between two sorts. A list that reorders more often cannot be read. */
const SORT_MS = 1_000;

/**
 * The watchlist as a grid.
 *
 * AG Grid handles layout: columns, order, scrolling, keyboard. Cells draw themselves, so that a tick only touches the
 * nodes that show it.
 */
export class Grid {
  private readonly box = byId("watchlist", HTMLElement);
  private readonly empty = byId("watchlist-empty", HTMLElement);
  private readonly api: GridApi<GridRow>;
  private readonly actions: GridActions;
  private readonly rows = new Map<StockSymbol, GridRow>();
  /** The rendered cells. */
  private readonly cells = new Map<StockSymbol, Set<Cell>>();
  private sortedAt = 0;
  private isRestoring = false;

  /** Takes the first rows, because a grid that is created empty is laid out twice. */
  constructor(actions: GridActions, columns: string | undefined, width: "wide" | "narrow", rows: readonly GridRow[]) {
    this.actions = actions;
    this.setRows(rows);
    this.api = createGrid(this.box, this.options(width, rows));
    this.restoreColumns(columns);
    for (const event of ["columnMoved", "columnResized", "columnVisible", "sortChanged"] as const) {
      this.api.addEventListener(event, () => {
        if (!this.isRestoring) actions.columnsChanged(JSON.stringify(this.api.getColumnState()));
      });
    }
    // The grid reports focus and selection in a later task, which may run after the next key press. These listeners run
    // after its own, so that a click or an arrow key takes effect before the key that follows it.
    this.box.addEventListener("click", () => {
      this.reportSelection();
    });
    this.box.addEventListener("keydown", ({ target }) => {
      if (!(target instanceof Element) || target.closest(".ag-row") === null) return;
      this.followFocus();
      this.reportSelection();
    });
  }

  /** Replaces the rows. */
  show(rows: readonly GridRow[]): void {
    this.setRows(rows);
    this.api.setGridOption("rowData", [...rows]);
  }

  drawAll(): void {
    for (const symbol of this.rows.keys()) this.draw(symbol);
  }

  draw(symbol: StockSymbol): void {
    const row = this.rows.get(symbol);
    if (row !== undefined) this.cells.get(symbol)?.forEach((cell) => { cell.draw(row); });
  }

  /** Sorts the rows again if a sort column is set, at most once per second. */
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

  /** The symbol a number of rows below this one in display order, clamped to the first and last row. */
  neighbour(symbol: StockSymbol | undefined, rows: number): StockSymbol | undefined {
    const at = this.nodeOf(symbol)?.rowIndex ?? -1;
    const last = this.api.getDisplayedRowCount() - 1;
    return this.api.getDisplayedRowAtIndex(Math.min(Math.max(at + rows, 0), last))?.data?.symbol;
  }

  focus(symbol: StockSymbol | undefined): void {
    this.api.setFocusedCell(this.nodeOf(symbol)?.rowIndex ?? 0, "symbol");
  }

  /** Tab moves the focus from the headers to the selected row; false if there is none. */
  private leaveHeaders(press: KeyboardEvent): boolean {
    const at = this.api.getSelectedNodes()[0]?.rowIndex ?? undefined;
    if (press.key !== "Tab" || press.shiftKey || at === undefined) return false;
    press.preventDefault();
    this.api.setFocusedCell(at, "symbol");
    return true;
  }

  /** Selects the row of the focused cell. */
  private followFocus(): void {
    const at = this.api.getFocusedCell()?.rowIndex;
    this.select(at === undefined ? undefined : this.api.getDisplayedRowAtIndex(at)?.data?.symbol);
  }

  private reportSelection(): void {
    const symbol = this.api.getSelectedNodes()[0]?.data?.symbol;
    if (symbol !== undefined) this.actions.select(symbol);
  }

  /** True if a row has the focus. */
  get hasFocus(): boolean {
    return this.box.contains(document.activeElement) && document.activeElement?.closest(".ag-row") !== null;
  }

  /** The selected row as text; undefined if no row has the focus. */
  copy(): string | undefined {
    const row = this.api.getSelectedNodes()[0]?.data;
    const shown = this.columns().filter(({ isShown }) => isShown);
    return this.hasFocus && row !== undefined ? rowText(shown.map(({ id }) => id), row) : undefined;
  }

  /** The columns in their current order. */
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

  /** Restores the default columns. */
  reset(): void {
    this.api.resetColumnState();
  }

  /** Updates headers and cells after a change of language. */
  translate(): void {
    const { columns } = this.actions.strings();
    this.api.setGridOption("columnDefs", (this.api.getColumnDefs() ?? []).map((column) => {
      const id = COLUMNS.find((known) => "colId" in column && column.colId === known);
      return id === undefined ? column : { ...column, headerName: columns[id].head, headerTooltip: columns[id].tip };
    }));
    this.api.refreshHeader();
    this.api.refreshCells({ force: true });
  }

  private setRows(rows: readonly GridRow[]): void {
    this.rows.clear();
    for (const row of rows) this.rows.set(row.symbol, row);
    this.empty.hidden = rows.length > 0;
  }

  private restoreColumns(columns: string | undefined): void {
    if (columns === undefined) return;
    this.isRestoring = true;
    try {
      const state = JSON.parse(columns) as unknown;
      if (Array.isArray(state)) this.api.applyColumnState({ state: state as ColumnState[], applyOrder: true });
    } catch {
      // An invalid stored layout is ignored: the default columns stay.
    }
    this.isRestoring = false;
  }

  private nodeOf(symbol: StockSymbol | undefined): IRowNode<GridRow> | undefined {
    return symbol === undefined ? undefined : this.api.getRowNode(symbol);
  }

  private options(width: "wide" | "narrow", rows: readonly GridRow[]): GridOptions<GridRow> {
    const style = getComputedStyle(this.box);
    const sizeOf = (name: string) => Number.parseFloat(style.getPropertyValue(name));
    return {
      // The theme is our own style sheet. The grid injects no styles, so the content security policy stays strict.
      theme: "legacy",
      rowData: [...rows],
      rowBuffer: ROW_BUFFER,
      rowHeight: sizeOf("--row"),
      headerHeight: sizeOf("--head"),
      columnDefs: COLUMNS.map((id) => this.columnOf(id, width, Number.parseFloat(style.fontSize))),
      defaultColDef: { resizable: true, sortable: true, suppressHeaderMenuButton: true, suppressKeyboardEvent: isShortcut, suppressHeaderKeyboardEvent: ({ event }) => this.leaveHeaders(event) },
      getRowId: ({ data }) => data.symbol,
      rowSelection: { mode: "singleRow", checkboxes: false, enableClickSelection: true },
      // Grid pattern of the ARIA guide: headers and rows are one tab stop each; arrow keys move inside.
      tabToNextHeader: () => false,
      tabToNextCell: () => false,
      suppressDragLeaveHidesColumns: true,
      suppressColumnMoveAnimation: true,
      suppressNoRowsOverlay: true,
      // Render rows in the frame that requests them, not in the next one.
      suppressAnimationFrame: true,
      animateRows: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      enableBrowserTooltips: true,
      // Both events are asynchronous and their payload may be stale. Acting on stale payloads can make two rows select
      // each other for ever, so the handlers read the current state instead.
      onSelectionChanged: () => {
        this.reportSelection();
      },
      onCellFocused: () => {
        this.followFocus();
      },
    };
  }

  private columnOf(id: ColumnId, width: "wide" | "narrow", textPx: number): ColDef<GridRow> {
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

  /** The renderer of a column. AG Grid creates and destroys cells as rows scroll into and out of view. */
  private rendererOf(id: ColumnId): new () => ICellRendererComp<GridRow> {
    const [{ cells: rendered }, context] = [this, this.context()];
    return class implements ICellRendererComp<GridRow> {
      private readonly cell = CELLS[id](context);
      private row: GridRow | undefined;

      init({ data }: ICellRendererParams<GridRow>): void {
        this.row = data;
        if (data === undefined) return;
        const cells = rendered.get(data.symbol) ?? new Set();
        rendered.set(data.symbol, cells.add(this.cell));
        this.cell.draw(data);
      }

      getGui(): HTMLElement {
        return this.cell.node;
      }

      refresh({ data }: ICellRendererParams<GridRow>): boolean {
        if (data !== this.row) return false;
        if (data !== undefined) this.cell.draw(data);
        return true;
      }

      destroy(): void {
        if (this.row !== undefined) rendered.get(this.row.symbol)?.delete(this.cell);
      }
    };
  }

  private context(): CellContext {
    const { strings, flashes, sparklines, remove } = this.actions;
    return { strings, flashes, sparklines, remove };
  }
}

/** True for keys that are shortcuts of the page and not of the grid. */
function isShortcut({ event }: { readonly event: KeyboardEvent }): boolean {
  return ["Delete", " "].includes(event.key);
}
