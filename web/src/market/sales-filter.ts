import type { Shares } from "@tapecast/client";
import { partitionPoint } from "./partition-point";
import type { Print, SalesRow, TimeAndSales } from "./time-and-sales";

/**
 * The conditions of the consolidated tape that make a trade another than the others, by what they say of its price
 * (docs/PROTOCOL.md, "Sale conditions"). Other letters, `@` first, are those of ordinary trades.
 */
const GROUP_OF: Readonly<Partial<Record<string, SalesGroup>>> = {
  I: "oddLots",
  Z: "late",
  ...{ T: "extended", U: "extended" },
  // Cash, next day, average, contingent and prior prices, official opens and closes: not the market's price of that moment.
  ...groupOf("special", "CHNVW7GPR4MQ9"),
};

/** The kinds of trades that may be hidden, in the order in which they are offered. */
export const SALES_GROUPS = ["oddLots", "late", "extended", "special", "revised"] as const;

export type SalesGroup = (typeof SALES_GROUPS)[number];

/** The smallest sizes that are offered, in shares. */
export const MIN_SIZES = [0, 100, 500, 1_000, 5_000, 10_000] as const;

/** Which trades are listed. */
export interface SalesFilter {
  readonly minSize: Shares;
  readonly hidden: readonly SalesGroup[];
}

/** The groups of a trade; none for an ordinary one. */
export function groupsOf(print: Print): readonly SalesGroup[] {
  return SALES_GROUPS.filter((group) => isOf(print, [group]));
}

/** Whether a row passes. A row that stands for missing trades always does: nobody knows what is missing. */
export function passes(row: SalesRow, { minSize, hidden }: SalesFilter): boolean {
  if (row.kind === "gap") return true;
  return row.size >= minSize && !isOf(row, hidden);
}

/** Whether a trade is of one of these groups. Called for thousands of rows at a time, so it makes no object. */
function isOf({ conditions, mark }: Print, groups: readonly SalesGroup[]): boolean {
  if (groups.length === 0) return false;
  if ((mark === "corrected" || mark === "cancelled") && groups.includes("revised")) return true;
  for (let at = 0; at < conditions.length; at += 1) {
    const group = GROUP_OF[conditions.charAt(at)];
    if (group !== undefined && groups.includes(group)) return true;
  }
  return false;
}

/** Whether a filter hides anything. */
export const isActive = ({ minSize, hidden }: SalesFilter): boolean => minSize > 0 || hidden.length > 0;

/**
 * The rows of a list that pass a filter, by their index in the list.
 *
 * Read again when the list changed: 5,000 rows take about 0.3 ms, at most ten times per second.
 */
export class FilteredSales {
  private readonly indices: number[] = [];
  private read: { readonly sales: TimeAndSales; readonly revision: number; readonly filter: SalesFilter } | undefined;

  /** Reads the list as it is now. */
  update(sales: TimeAndSales, filter: SalesFilter): void {
    const { read, indices } = this;
    if (read?.sales === sales && read.revision === sales.revision && read.filter === filter) return;
    this.read = { sales, revision: sales.revision, filter };
    indices.length = 0;
    for (let index = sales.start; index < sales.end; index += 1) {
      const row = sales.row(index);
      if (row !== undefined && passes(row, filter)) indices.push(index);
    }
  }

  /** The number of rows that pass and are older than this index of the list. */
  countBefore(end: number): number {
    const { indices } = this;
    return partitionPoint(indices.length, (at) => (indices[at] ?? 0) < end);
  }

  /** The number of all rows that pass. */
  get count(): number {
    return this.indices.length;
  }

  /** The index in the list of the n-th row that passes, oldest first. */
  at(place: number): number | undefined {
    return this.indices[place];
  }
}

function groupOf(group: SalesGroup, letters: string): Readonly<Record<string, SalesGroup>> {
  return Object.fromEntries(letters.split("").map((letter) => [letter, group]));
}
