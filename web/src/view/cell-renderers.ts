import type { ICellRendererComp, ICellRendererParams } from "ag-grid-community";
import type { ColumnId } from "../strings";
import { CELLS, type CellContext } from "./cells";
import { rowIdOf, type AnyRow } from "./grid-rows";
import { totalCell } from "./position-cells";
import { SectionView } from "./section-row";

/** What is rendered of a row. */
interface Rendered {
  readonly node: HTMLElement;
  /** False if it shows rows of another kind. */
  readonly draw: (row: AnyRow) => boolean;
}

/** The rendered cells. AG Grid creates and destroys them as rows scroll into and out of view. */
export class CellRenderers {
  private readonly context: CellContext;
  /** The redrawing of each rendered cell by the id of its row. */
  private readonly redraws = new Map<string, Set<() => void>>();

  /** The row of an id, as it is now: the grid keeps a cell whose row was replaced. */
  private readonly rowOf: (id: string) => AnyRow | undefined;

  constructor(context: CellContext, rowOf: (id: string) => AnyRow | undefined) {
    this.context = context;
    this.rowOf = rowOf;
  }

  /** Redraws the cells of a row. */
  draw(id: string): void {
    this.redraws.get(id)?.forEach((redraw) => {
      redraw();
    });
  }

  /** The renderer of a column. */
  ofColumn(column: ColumnId): new () => ICellRendererComp<AnyRow> {
    return this.renderer((kind) => (kind === "total" ? this.totalCell(column) : this.symbolCell(column)));
  }

  /** The renderer of the rows of sections. */
  ofSections(): new () => ICellRendererComp<AnyRow> {
    return this.renderer(() => {
      const view = new SectionView();
      const draw = (row: AnyRow) => {
        if (row.kind === "section") view.draw(row, this.context.strings());
        return row.kind === "section";
      };
      return { node: view.node, draw };
    });
  }

  private symbolCell(column: ColumnId): Rendered {
    const cell = CELLS[column](this.context);
    const draw = (row: AnyRow) => {
      if (row.kind === "symbol") cell.draw(row);
      return row.kind === "symbol";
    };
    return { node: cell.node, draw };
  }

  private totalCell(column: ColumnId): Rendered {
    const cell = totalCell(column, this.context.strings);
    const draw = (row: AnyRow) => {
      if (row.kind === "total") cell.draw(row);
      return row.kind === "total";
    };
    return { node: cell.node, draw };
  }

  private renderer(make: (kind: AnyRow["kind"] | undefined) => Rendered): new () => ICellRendererComp<AnyRow> {
    const { redraws, rowOf } = this;
    return class implements ICellRendererComp<AnyRow> {
      private rendered: Rendered | undefined;
      private id: string | undefined;
      private readonly redraw = () => {
        if (this.id !== undefined) this.draw(rowOf(this.id));
      };

      init({ data }: ICellRendererParams<AnyRow>): void {
        this.rendered = make(data?.kind);
        if (data === undefined) return;
        this.id = rowIdOf(data);
        redraws.set(this.id, (redraws.get(this.id) ?? new Set()).add(this.redraw));
        this.draw(data);
      }

      getGui(): HTMLElement {
        return this.rendered?.node ?? document.createElement("span");
      }

      refresh({ data }: ICellRendererParams<AnyRow>): boolean {
        return data !== undefined && rowIdOf(data) === this.id && this.draw(data);
      }

      destroy(): void {
        if (this.id !== undefined) redraws.get(this.id)?.delete(this.redraw);
      }

      private draw(row: AnyRow | undefined): boolean {
        return row !== undefined && (this.rendered?.draw(row) ?? false);
      }
    };
  }
}
