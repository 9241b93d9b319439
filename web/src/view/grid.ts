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
  PinnedRowModule,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  TooltipModule,
  type ColDef,
  type GridApi,
  type GridOptions,
  type IRowNode,
} from "ag-grid-community";
import type { StockSymbol } from "@tapecast/client";
import { COLUMNS, type ColumnId } from "../strings";
import { CellRenderers } from "./cell-renderers";
import type { CellContext } from "./cells";
import { ColumnLayout } from "./column-layout";
import { modeOf, rowText, shapeOf, sortValueOf, type GridMode } from "./columns";
import { rowIdOf, type AnyRow, type GridRow, type SectionRow, type TotalRow } from "./grid-rows";
import { translated } from "./panel-parts";
import { POSITION_COLUMNS } from "./position-cells";
import { listenToRows, type RowActions } from "./row-input";
import { translateTexts } from "./translate";

ModuleRegistry.registerModules([
  CellApiModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  CellStyleModule,
  ColumnApiModule,
  EventApiModule,
  LocaleModule,
  PinnedRowModule,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  TooltipModule,
]);

/** What the grid needs from the dashboard. */
export interface GridActions extends CellContext, RowActions {
  readonly select: (symbol: StockSymbol) => void;
  /** The serialised layout that the user left on screens of this kind. */
  readonly columns: (mode: GridMode) => string | undefined;
  /** Called with the serialised layout when columns were moved, resized, hidden or sorted. */
  readonly columnsChanged: (mode: GridMode, columns: string) => void;
  /** Called with the columns that are shown, at first and when they change. */
  readonly columnsShown: (columns: readonly ColumnId[]) => void;
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
  private readonly api: GridApi<AnyRow>;
  private readonly actions: GridActions;
  private readonly renderers: CellRenderers;
  private readonly layout: ColumnLayout;
  private readonly rows = new Map<string, GridRow | SectionRow>();
  private total: TotalRow | undefined;
  private readonly style: CSSStyleDeclaration;
  private mode = modeOf(innerWidth);
  private textPx: number;
  private rowPx: number;
  private sortedAt = 0;

  /** Takes the first rows, because a grid that is created empty is laid out twice. `box` is in the page already. */
  constructor(box: HTMLElement, actions: GridActions, rows: readonly (GridRow | SectionRow)[], total: TotalRow | undefined) {
    this.box = box;
    this.style = getComputedStyle(box);
    this.textPx = Number.parseFloat(this.style.fontSize);
    this.rowPx = this.sizeOf("--row");
    this.actions = actions;
    this.renderers = new CellRenderers(actions, (id) => this.rows.get(id) ?? (this.total !== undefined && rowIdOf(this.total) === id ? this.total : undefined));
    box.after(this.empty);
    translateTexts(this.empty, actions.strings());
    this.setRows(rows);
    this.api = createGrid(this.box, this.options(rows));
    this.layout = new ColumnLayout(this.api, {
      screen: () => ({ mode: this.mode, textPx: this.textPx, width: this.viewport?.clientWidth ?? 0 }),
      columns: actions.columns,
      columnsChanged: actions.columnsChanged,
    });
    this.layout.restore();
    this.showTotal(total);
    for (const event of ["columnMoved", "columnResized", "sortChanged"] as const) {
      this.api.addEventListener(event, ({ source }) => {
        if (source.startsWith("ui")) this.layout.save();
      });
    }
    this.api.addEventListener("columnResized", ({ finished }) => {
      if (finished) this.layout.fit();
    });
    this.api.addEventListener("displayedColumnsChanged", () => {
      actions.columnsShown(this.shownColumns());
    });
    actions.columnsShown(this.shownColumns());
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
    listenToRows(box, {
      ...actions,
      rowOf: (id) => this.rows.get(id),
      viewport: () => this.viewport,
      used: () => {
        this.followFocus();
        this.reportSelection();
      },
      clicked: () => {
        this.reportSelection();
      },
    });
  }

  /** Replaces the rows. */
  show(rows: readonly (GridRow | SectionRow)[], total: TotalRow | undefined): void {
    this.setRows(rows);
    this.api.setGridOption("rowData", [...rows]);
    this.showTotal(total);
    this.drawAll();
  }

  /** Shows the row of the total, and the columns of positions, while there are any. */
  private showTotal(total: TotalRow | undefined): void {
    if (total !== this.total) this.api.setGridOption("pinnedBottomRowData", total === undefined ? [] : [total]);
    this.total = total;
    this.layout.setPositions(total !== undefined);
  }

  drawAll(): void {
    for (const id of this.rows.keys()) this.draw(id);
    this.drawTotal();
  }

  draw(id: string): void {
    this.renderers.draw(id);
  }

  drawTotal(): void {
    if (this.total !== undefined) this.renderers.draw(rowIdOf(this.total));
  }

  /** Sorts the rows again if a sort column is set, at most once per second. */
  keepSorted(now: number): void {
    if (now - this.sortedAt < SORT_MS) return;
    this.sortedAt = now;
    if (this.isSorted) this.api.refreshClientSideRowModel("sort");
  }

  get isSorted(): boolean {
    return this.api.getColumnState().some(({ sort }) => sort !== null && sort !== undefined);
  }

  /** Shows the rows in their own order again. */
  endSort(): void {
    this.api.applyColumnState({ defaultState: { sort: null } });
    this.layout.save();
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

  /** The symbol a number of symbols below this one in display order, clamped to the first and last. */
  neighbour(symbol: StockSymbol | undefined, distance: number): StockSymbol | undefined {
    const symbols = this.displayed.flatMap((row) => (row.kind === "symbol" ? [row.symbol] : []));
    const at = symbol === undefined ? -1 : symbols.indexOf(symbol);
    return symbols[Math.min(Math.max(at + distance, 0), symbols.length - 1)];
  }

  /** The ids of the rows above and below a row. */
  around(id: string): { readonly above: string | undefined; readonly below: string | undefined } {
    const ids = this.displayed.map(rowIdOf);
    const at = ids.indexOf(id);
    return { above: ids[at - 1], below: ids[at + 1] };
  }

  private get displayed(): readonly AnyRow[] {
    return Array.from({ length: this.api.getDisplayedRowCount() }, (_, at) => this.api.getDisplayedRowAtIndex(at)?.data).filter((row) => row !== undefined);
  }

  /** Moves the focus to a row. */
  focus(id: string | undefined): void {
    const node = this.nodeOf(id);
    if (node !== undefined) this.api.ensureNodeVisible(node);
    this.api.setFocusedCell(node?.rowIndex ?? 0, "symbol");
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
    const row = at === undefined ? undefined : this.api.getDisplayedRowAtIndex(at)?.data;
    if (row?.kind === "symbol") this.select(row.symbol);
  }

  private reportSelection(): void {
    const row = this.api.getSelectedNodes()[0]?.data;
    if (row?.kind === "symbol") this.actions.select(row.symbol);
  }

  /** True if a row has the focus. */
  get hasFocus(): boolean {
    const { activeElement } = this.box.ownerDocument;
    return this.box.contains(activeElement) && activeElement?.closest(".ag-row") !== null;
  }

  /** The selected row as text; undefined if no row has the focus. */
  copy(): string | undefined {
    const row = this.api.getSelectedNodes()[0]?.data;
    return this.hasFocus && row?.kind === "symbol" ? rowText(this.shownColumns(), row) : undefined;
  }

  private shownColumns(): readonly ColumnId[] {
    return this.columns().filter(({ isShown }) => isShown).map(({ id }) => id);
  }

  columns(): readonly { readonly id: ColumnId; readonly isShown: boolean }[] {
    return this.layout.columns();
  }

  setShown(id: ColumnId, shown: "shown" | "hidden"): void {
    this.layout.setShown(id, shown);
  }

  /** Restores the default columns. */
  reset(): void {
    this.layout.reset();
  }

  /** The window has another size, or rows have: perhaps another text size, other rows, or the columns of a phone. */
  resize(): void {
    const [mode, textPx, rowPx] = [modeOf(innerWidth), Number.parseFloat(this.style.fontSize), this.sizeOf("--row")];
    if (mode !== this.mode || textPx !== this.textPx || rowPx !== this.rowPx) {
      Object.assign(this, { mode, textPx, rowPx });
      this.api.setGridOption("rowHeight", this.sizeOf("--row"));
      this.api.setGridOption("headerHeight", this.sizeOf("--head"));
      this.api.setGridOption("columnDefs", COLUMNS.map((id) => this.columnOf(id)));
      this.layout.restore();
      this.api.redrawRows();
    }
    this.layout.fit();
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

  private setRows(rows: readonly (GridRow | SectionRow)[]): void {
    this.rows.clear();
    for (const row of rows) this.rows.set(rowIdOf(row), row);
    this.empty.hidden = rows.length > 0;
  }

  private nodeOf(id: string | undefined): IRowNode<AnyRow> | undefined {
    return id === undefined ? undefined : this.api.getRowNode(id);
  }

  private options(rows: readonly (GridRow | SectionRow)[]): GridOptions<AnyRow> {
    return {
      // The theme is our own style sheet. The grid injects no styles, so the content security policy stays strict.
      theme: "legacy",
      rowData: [...rows],
      rowBuffer: ROW_BUFFER,
      rowHeight: this.sizeOf("--row"),
      headerHeight: this.sizeOf("--head"),
      columnDefs: COLUMNS.map((id) => this.columnOf(id)),
      defaultColDef: { resizable: true, sortable: true, suppressHeaderMenuButton: true, suppressKeyboardEvent: isShortcut, suppressHeaderKeyboardEvent: ({ event }) => this.leaveHeaders(event) },
      getRowId: ({ data }) => rowIdOf(data),
      isFullWidthRow: ({ rowNode }) => rowNode.data?.kind === "section",
      fullWidthCellRenderer: this.renderers.ofSections(),
      postSortRows: ({ nodes }) => {
        this.keepSections(nodes);
      },
      rowSelection: { mode: "singleRow", checkboxes: false, enableClickSelection: true, isRowSelectable: ({ data }) => data?.kind === "symbol" },
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

  /** Sorts within sections: each one keeps its place, with its symbols below it in their new order. */
  private keepSections(nodes: IRowNode<AnyRow>[]): void {
    const sections = [...this.rows.values()].filter((row) => row.kind === "section");
    if (sections.length === 0) return;
    const byId = new Map(nodes.flatMap((node) => (node.data === undefined ? [] : [[rowIdOf(node.data), node]])));
    const below = (section: string | undefined) => nodes.filter(({ data }) => data?.kind === "symbol" && data.section === section);
    const ordered = [...below(undefined), ...sections.flatMap(({ id }) => [byId.get(id) ?? [], below(id)].flat())];
    nodes.splice(0, nodes.length, ...ordered);
  }

  private columnOf(id: ColumnId): ColDef<AnyRow> {
    const { head, tip } = this.actions.strings().columns[id];
    const shape = shapeOf(id, this.mode, this.textPx);
    return {
      colId: id,
      headerName: head,
      headerTooltip: tip,
      valueGetter: ({ data }) => (data?.kind === "symbol" ? sortValueOf(id, data) : undefined),
      cellRenderer: this.renderers.ofColumn(id),
      ...shape,
      // The layout shows them while there are positions.
      hide: shape.hide || POSITION_COLUMNS.some((one) => one === id),
    };
  }
}

/** True for keys that are shortcuts of the page and not of the grid. */
function isShortcut({ event }: { readonly event: KeyboardEvent }): boolean {
  return ["Delete", " "].includes(event.key);
}
