import type { ColumnState, GridApi } from "ag-grid-community";
import { COLUMNS, type ColumnId } from "../strings";
import { columnsToHide, shapeOf, type ColumnNeed, type GridMode } from "./columns";
import type { AnyRow } from "./grid-rows";
import { POSITION_COLUMNS } from "./position-cells";

/** The screen that columns are laid out for. */
export interface Screen {
  readonly mode: GridMode;
  readonly textPx: number;
  /** The width that columns have together. */
  readonly width: number;
}

export interface ColumnLayoutActions {
  readonly screen: () => Screen;
  /** The serialised layout that the user left on screens of this kind. */
  readonly columns: (mode: GridMode) => string | undefined;
  /** Called with the serialised layout when columns were moved, resized, hidden or sorted. */
  readonly columnsChanged: (mode: GridMode, columns: string) => void;
}

/** Which columns are shown: as the user wants them, but for those without room, and those of positions while there are none. */
export class ColumnLayout {
  private readonly api: GridApi<AnyRow>;
  private readonly actions: ColumnLayoutActions;
  /** Columns that are hidden because there is no room, and those that the user asked for nevertheless. */
  private squeezed: ReadonlySet<ColumnId> = new Set();
  private readonly asked = new Set<ColumnId>();
  /** The columns of positions that the user does not want to see. */
  private unwanted: ReadonlySet<ColumnId>;
  private hasPositions = false;

  constructor(api: GridApi<AnyRow>, actions: ColumnLayoutActions) {
    this.api = api;
    this.actions = actions;
    this.unwanted = this.unwantedByDefault();
  }

  /** The columns that may be shown, in their current order. */
  columns(): readonly { readonly id: ColumnId; readonly isShown: boolean }[] {
    return this.api.getColumnState().flatMap(({ colId, hide }) => {
      const id = COLUMNS.find((column) => column === colId);
      return id === undefined || this.isUnavailable(id) ? [] : [{ id, isShown: hide !== true }];
    });
  }

  /** Shows the columns of positions while there are any. */
  setPositions(hasPositions: boolean): void {
    if (hasPositions === this.hasPositions) return;
    this.hasPositions = hasPositions;
    this.showPositions();
    this.fit();
  }

  /** Shows a column, in the place of others if there is no room, or hides it. */
  setShown(id: ColumnId, shown: "shown" | "hidden"): void {
    this.asked.delete(id);
    if (shown === "shown") this.asked.add(id);
    if (isOfPositions(id)) this.unwanted = new Set([...this.unwanted, id].filter((one) => shown === "hidden" || one !== id));
    this.squeezed = new Set([...this.squeezed].filter((one) => one !== id));
    this.api.setColumnsVisible([id], shown === "shown");
    this.fit();
    this.save();
  }

  /** Restores the default columns. */
  reset(): void {
    this.asked.clear();
    this.squeezed = new Set();
    this.api.resetColumnState();
    this.unwanted = this.unwantedByDefault();
    this.showPositions();
    this.fit();
    this.save();
  }

  /** Applies the stored layout, of another kind of screen than before or for the first time. */
  restore(): void {
    this.squeezed = new Set();
    const stored = this.stored();
    this.api.applyColumnState({ state: [...stored], applyOrder: true });
    // Layouts of earlier versions do not have these columns.
    const isKnown = stored.some(({ colId }) => colId === POSITION_COLUMNS[0]);
    this.unwanted = isKnown ? new Set(POSITION_COLUMNS.filter((id) => stored.some(({ colId, hide }) => colId === id && hide === true))) : this.unwantedByDefault();
    this.showPositions();
    this.fit();
  }

  save(): void {
    this.actions.columnsChanged(this.actions.screen().mode, JSON.stringify(this.wantedState()));
  }

  /** Hides the columns for which there is no room and shows those for which there is again: no column is ever cut. */
  fit(): void {
    const { mode, textPx, width: available } = this.actions.screen();
    if (available === 0) return;
    const needs = this.wantedState().flatMap(({ colId, hide, width, flex }): readonly ColumnNeed[] => {
      const id = COLUMNS.find((column) => column === colId);
      if (id === undefined || hide === true || this.isUnavailable(id)) return [];
      const { minWidth = 0 } = shapeOf(id, mode, textPx);
      // A column that the user resized has a width of its own.
      return [{ id, width: typeof flex === "number" ? minWidth : (width ?? minWidth) }];
    });
    const squeezed = columnsToHide(needs, available, this.asked);
    const changed = COLUMNS.filter((id) => squeezed.has(id) !== this.squeezed.has(id));
    this.squeezed = squeezed;
    for (const id of changed) this.api.setColumnsVisible([id], !squeezed.has(id));
  }

  private stored(): readonly ColumnState[] {
    try {
      const state = JSON.parse(this.actions.columns(this.actions.screen().mode) ?? "[]") as unknown;
      return Array.isArray(state) ? (state as ColumnState[]) : [];
    } catch {
      // An invalid stored layout is ignored: the default columns stay.
      return [];
    }
  }

  /** The column state as the user wants it: columns without room or content are not hidden. */
  private wantedState(): readonly ColumnState[] {
    return this.api.getColumnState().map((column) => {
      const id = COLUMNS.find((one) => one === column.colId);
      if (id !== undefined && isOfPositions(id)) return { ...column, hide: this.unwanted.has(id) };
      return id !== undefined && this.squeezed.has(id) ? { ...column, hide: false } : column;
    });
  }

  private showPositions(): void {
    for (const id of POSITION_COLUMNS) this.api.setColumnsVisible([id], this.hasPositions && !this.unwanted.has(id) && !this.squeezed.has(id));
  }

  private isUnavailable(id: ColumnId): boolean {
    return !this.hasPositions && isOfPositions(id);
  }

  private unwantedByDefault(): ReadonlySet<ColumnId> {
    const { mode, textPx } = this.actions.screen();
    return new Set(POSITION_COLUMNS.filter((id) => shapeOf(id, mode, textPx).hide));
  }
}

const isOfPositions = (id: ColumnId): boolean => POSITION_COLUMNS.some((one) => one === id);
