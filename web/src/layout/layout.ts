import { idsOf, reconciled, share, type Axis, type LayoutNode, type Part } from "./tree";

/** The forms of a screen that are laid out differently; phones and tablets stack the panels instead. */
export type Form = "wide" | "ultrawide";

/** What the user made of the board. */
export interface Layout {
  /** The open panels of the board. */
  readonly open: readonly string[];
  /** Where they are, for each form of a screen. */
  readonly trees: Readonly<Partial<Record<Form, LayoutNode>>>;
}

/** The first layout: the chart with the trades and the stream beside it, the watchlist below. */
const wide = (watchlist: number): LayoutNode => ({
  axis: "column",
  parts: [share({ axis: "row", parts: [share("chart"), { node: "sales", size: { rem: 20.3 } }, { node: "stream", size: { rem: 22.4 } }] }), share("watchlist", watchlist)],
});

/** Whether the watchlist shall show more rows of less height. */
export type Rows = "normal" | "compact";

const FIRST = {
  wide: wide(1.06),
  // Height is what lacks: the watchlist has all of it.
  ultrawide: {
    axis: "row",
    parts: [share("watchlist"), share({ axis: "column", parts: [share("chart", 1.5), share({ axis: "row", parts: [share("sales"), share("stream")] })] }, 1.04)],
  },
} as const satisfies Readonly<Record<Form, LayoutNode>>;

/** With compact rows the watchlist has room for 20 symbols in a window of 1440 by 900. */
const COMPACT: Readonly<Record<Form, LayoutNode>> = { ...FIRST, wide: wide(1.5) };

export const firstLayout = (open: readonly string[]): Layout => ({ open, trees: {} });

/** The tree of a form, with exactly the open panels. */
export function treeOf({ open, trees }: Layout, form: Form, rows: Rows = "normal"): LayoutNode | undefined {
  return reconciled(trees[form] ?? (rows === "compact" ? COMPACT : FIRST)[form], open);
}

/** The layout with another tree for a form, whose panels are the open ones. */
export const withTree = ({ trees }: Layout, form: Form, tree: LayoutNode | undefined): Layout => ({
  open: idsOf(tree),
  trees: tree === undefined ? trees : { ...trees, [form]: tree },
});

export const writeLayout = (layout: Layout): string => JSON.stringify(layout);

/** Reads a stored layout. Panels that do not exist (any more) are left out; undefined if it is none. */
export function readLayout(text: string | null, known: readonly string[]): Layout | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
  if (!isRecord(stored) || !Array.isArray(stored["open"])) return undefined;
  const open = [...new Set(stored["open"])].filter((id): id is string => typeof id === "string" && known.includes(id));
  const trees = isRecord(stored["trees"]) ? stored["trees"] : {};
  const read = (form: Form): Layout["trees"] => {
    const tree = readNode(trees[form], 0);
    const ids = idsOf(tree);
    return tree === undefined || new Set(ids).size < ids.length ? {} : { [form]: tree };
  };
  return { open, trees: { ...read("wide"), ...read("ultrawide") } };
}

/** A deeper tree than anyone makes is not read. */
const MAX_DEPTH = 20;

function readNode(value: unknown, depth: number): LayoutNode | undefined {
  if (typeof value === "string") return value;
  if (!isRecord(value) || depth > MAX_DEPTH || !Array.isArray(value["parts"])) return undefined;
  const axis = value["axis"];
  const parts = value["parts"].map((part) => readPart(part, depth));
  if (!isAxis(axis) || parts.length < 2 || !parts.every((part) => part !== undefined)) return undefined;
  return { axis, parts };
}

function readPart(value: unknown, depth: number): Part | undefined {
  if (!isRecord(value) || !isRecord(value["size"])) return undefined;
  const node = readNode(value["node"], depth + 1);
  const { share: shared, rem } = value["size"];
  if (node === undefined) return undefined;
  if (isSize(shared)) return { node, size: { share: shared } };
  return isSize(rem) ? { node, size: { rem } } : undefined;
}

const isSize = (value: unknown): value is number => typeof value === "number" && value > 0 && value < 10_000;

const isAxis = (value: unknown): value is Axis => value === "row" || value === "column";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
