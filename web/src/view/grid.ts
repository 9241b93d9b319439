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
import type { StockSymbol } from "@tapecast/client";
import { COLUMNS, type ColumnId, type Strings } from "../strings";
import { CELLS, type Cell, type CellContext, type GridRow } from "./cells";
import { columnsToHide, modeOf, rowText, shapeOf, sortValueOf, type ColumnNeed, type GridMode } from "./columns";
import type { Flashes } from "./flashes";
import { translated } from "./panel-parts";
import { listenToSwipes } from "./row-swipe";
import type { SparklineQueue } from "./sparklines";
import { translateTexts } from "./translate";

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
  /** Whether an alert is set on a symbol, or fired and was not seen. */
  readonly alertMark: (symbol: StockSymbol) => "none" | "set" | "fired";
  /** A row was clicked or tapped. */
  readonly tapped: () => void;
  /** The serialised layout that the user left on screens of this kind. */
  readonly columns: (mode: GridMode) => string | undefined;
  /** Called with the serialised layout when columns were moved, resized, hidden or sorted. */
  readonly columnsChanged: (mode: GridMode, columns: string) => void;
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
  private readonly box: HTMLElement;
  private readonly empty = translated("p", "watchlist-empty", "empty");
  private readonly api: GridApi<GridRow>;
  private readonly actions: GridActions;
  private readonly rows = new Map<StockSymbol, GridRow>();
  /** The rendered cells. */
  private readonly cells = new Map<StockSymbol, Set<Cell>>();
  private readonly style: CSSStyleDeclaration;
  private mode = modeOf(innerWidth);
  private textPx: number;
  private rowPx: number;
  /** Columns that are hidden because there is no room, and those that the user asked for nevertheless. */
  private squeezed: ReadonlySet<ColumnId> = new Set();
  private readonly asked = new Set<ColumnId>();
  private sortedAt = 0;

  /** Takes the first rows, because a grid that is created empty is laid out twice. `box` is in the page already. */
  constructor(box: HTMLElement, actions: GridActions, rows: readonly GridRow[]) {
    this.box = box;
    this.style = getComputedStyle(box);
    this.textPx = Number.parseFloat(this.style.fontSize);
    this.rowPx = this.sizeOf("--row");
    this.actions = actions;
    box.after(this.empty);
    translateTexts(this.empty, actions.strings());
    this.setRows(rows);
    this.api = createGrid(this.box, this.options(rows));
    this.restoreColumns();
    for (const event of ["columnMoved", "columnResized", "sortChanged"] as const) {
      this.api.addEventListener(event, ({ source }) => {
        if (source.startsWith("ui")) this.save();
      });
    }
    this.api.addEventListener("columnResized", ({ finished }) => {
      if (finished) this.fit();
    });
    // Not the box: a scroll bar takes its width from the viewport.
    if (this.viewport !== null) {
      new ResizeObserver(() => {
        this.resize();
      }).observe(this.viewport);
    }
    // On paper nothing scrolls: all rows are there.
    for (const [event, domLayout] of [["beforeprint", "print"], ["afterprint", "normal"]] as const) {
      addEventListener(event, () => {
        this.api.setGridOption("domLayout", domLayout);
        if (domLayout === "print") actions.sparklines.drawAll();
      });
    }
    // The grid reports focus and selection in a later task, which may run after the next key press. These listeners run
    // after its own, so that a click or an arrow key takes effect before the key that follows it.
    this.box.addEventListener("click", ({ target }) => {
      this.reportSelection();
      if (target instanceof Element && target.closest(".ag-row") !== null) actions.tapped();
    });
    listenToSwipes(this.box, ".ag-row", (row) => {
      const symbol = [...this.rows.keys()].find((one) => one === row.getAttribute("row-id"));
      if (symbol !== undefined) actions.remove(symbol);
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
    if (node === undefined) {
      // A row that stayed selected would be reported at the next click.
      this.api.deselectAll();
      return;
    }
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
    const symbol = at === undefined ? undefined : this.api.getDisplayedRowAtIndex(at)?.data?.symbol;
    if (symbol !== undefined) this.select(symbol);
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

  /** Shows a column, in the place of others if there is no room, or hides it. */
  setShown(id: ColumnId, shown: "shown" | "hidden"): void {
    this.asked.delete(id);
    if (shown === "shown") this.asked.add(id);
    this.squeezed = new Set([...this.squeezed].filter((other) => other !== id));
    this.api.setColumnsVisible([id], shown === "shown");
    this.fit();
    this.save();
  }

  /** Restores the default columns. */
  reset(): void {
    this.asked.clear();
    this.squeezed = new Set();
    this.api.resetColumnState();
    this.fit();
    this.save();
  }

  private save(): void {
    this.actions.columnsChanged(this.mode, JSON.stringify(this.wantedState()));
  }

  /** Hides the columns for which there is no room and shows those for which there is again: no column is ever cut. */
  private fit(): void {
    const available = this.viewport?.clientWidth ?? 0;
    if (available === 0) return;
    const needs = this.wantedState().flatMap(({ colId, hide, width, flex }): readonly ColumnNeed[] => {
      const id = COLUMNS.find((column) => column === colId);
      if (id === undefined || hide === true) return [];
      const { minWidth = 0 } = shapeOf(id, this.mode, this.textPx);
      // A column that the user resized has a width of its own.
      return [{ id, width: typeof flex === "number" ? minWidth : (width ?? minWidth) }];
    });
    const squeezed = columnsToHide(needs, available, this.asked);
    const changed = COLUMNS.filter((id) => squeezed.has(id) !== this.squeezed.has(id));
    this.squeezed = squeezed;
    for (const id of changed) this.api.setColumnsVisible([id], !squeezed.has(id));
  }

  /** The column state as the user wants it: columns without room are not hidden. */
  private wantedState(): readonly ColumnState[] {
    return this.api.getColumnState().map((column) => ([...this.squeezed].some((id) => id === column.colId) ? { ...column, hide: false } : column));
  }

  /** The window has another size, or rows have: perhaps another text size, other rows, or the columns of a phone. */
  resize(): void {
    const [mode, textPx, rowPx] = [modeOf(innerWidth), Number.parseFloat(this.style.fontSize), this.sizeOf("--row")];
    if (mode !== this.mode || textPx !== this.textPx || rowPx !== this.rowPx) {
      Object.assign(this, { mode, textPx, rowPx });
      this.squeezed = new Set();
      this.api.setGridOption("rowHeight", this.sizeOf("--row"));
      this.api.setGridOption("headerHeight", this.sizeOf("--head"));
      this.api.setGridOption("columnDefs", COLUMNS.map((id) => this.columnOf(id)));
      this.restoreColumns();
      this.api.redrawRows();
    }
    this.fit();
  }

  private get viewport(): Element | null {
    return this.box.querySelector(".ag-grid-viewport");
  }

  private sizeOf(name: string): number {
    return Number.parseFloat(this.style.getPropertyValue(name));
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

  private restoreColumns(): void {
    try {
      const state = JSON.parse(this.actions.columns(this.mode) ?? "{}") as unknown;
      if (Array.isArray(state)) this.api.applyColumnState({ state: state as ColumnState[], applyOrder: true });
    } catch {
      // An invalid stored layout is ignored: the default columns stay.
    }
    this.fit();
  }

  private nodeOf(symbol: StockSymbol | undefined): IRowNode<GridRow> | undefined {
    return symbol === undefined ? undefined : this.api.getRowNode(symbol);
  }

  private options(rows: readonly GridRow[]): GridOptions<GridRow> {
    return {
      // The theme is our own style sheet. The grid injects no styles, so the content security policy stays strict.
      theme: "legacy",
      rowData: [...rows],
      rowBuffer: ROW_BUFFER,
      rowHeight: this.sizeOf("--row"),
      headerHeight: this.sizeOf("--head"),
      columnDefs: COLUMNS.map((id) => this.columnOf(id)),
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

  private columnOf(id: ColumnId): ColDef<GridRow> {
    const { head, tip } = this.actions.strings().columns[id];
    return {
      colId: id,
      headerName: head,
      headerTooltip: tip,
      valueGetter: ({ data }) => data && sortValueOf(id, data),
      cellRenderer: this.rendererOf(id),
      ...shapeOf(id, this.mode, this.textPx),
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
    const { strings, flashes, sparklines, remove, alertMark } = this.actions;
    return { strings, flashes, sparklines, remove, alertMark };
  }
}

/** True for keys that are shortcuts of the page and not of the grid. */
function isShortcut({ event }: { readonly event: KeyboardEvent }): boolean {
  return ["Delete", " "].includes(event.key);
}
