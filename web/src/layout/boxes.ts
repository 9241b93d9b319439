import type { Axis, LayoutNode, Path } from "./tree";

/** A length that is linear in the size of the board: a part of it, text sizes, and gaps between panels. */
export interface Length {
  readonly percent: number;
  readonly rem: number;
  readonly gaps: number;
}

export interface Box {
  readonly left: Length;
  readonly top: Length;
  readonly width: Length;
  readonly height: Length;
}

/** A bar between two parts of a split, by which they are resized. */
export interface Separator {
  /** The split, and the index of the part before the bar. */
  readonly path: Path;
  readonly index: number;
  readonly axis: Axis;
  readonly box: Box;
  /** The length of the split without its gaps. */
  readonly extent: Length;
  /** The first panel before the bar and the first one after it. */
  readonly between: readonly [string, string];
}

/** Where everything on the board is. CSS computes the pixels, so that a window is resized without script. */
export interface Placement {
  readonly panels: ReadonlyMap<string, Box>;
  readonly separators: readonly Separator[];
  /** The least height of the board, so that no panel is a mere strip: the page scrolls on a low screen. */
  readonly minRem: number;
}

/** The least height of a panel in the computation above. */
const MIN_PANEL_REM = 11;

const ZERO: Length = { percent: 0, rem: 0, gaps: 0 };
const WHOLE: Length = { percent: 100, rem: 0, gaps: 0 };
const GAP: Length = { percent: 0, rem: 0, gaps: 1 };

export function placementOf(tree: LayoutNode | undefined): Placement {
  const panels = new Map<string, Box>();
  const separators: Separator[] = [];
  if (tree !== undefined) place(tree, { left: ZERO, top: ZERO, width: WHOLE, height: WHOLE }, [], { panels, separators });
  return { panels, separators, minRem: tree === undefined ? 0 : minRemOf(tree) };
}

/** A length in pixels, given the size of the board, of the text and of a gap. */
export const pixelsOf = ({ percent, rem, gaps }: Length, board: number, remPx: number, gapPx: number): number =>
  (percent * board) / 100 + rem * remPx + gaps * gapPx;

/** A length as CSS. */
export function cssOf({ percent, rem, gaps }: Length): string {
  return `calc(${round(percent)}% + ${round(rem)}rem + ${round(gaps)} * var(--gap))`;
}

function place(node: LayoutNode, box: Box, path: Path, into: { readonly panels: Map<string, Box>; readonly separators: Separator[] }): void {
  if (typeof node === "string") {
    into.panels.set(node, box);
    return;
  }
  const { axis, parts } = node;
  const [start, extent] = axis === "row" ? (["left", "width"] as const) : (["top", "height"] as const);
  const fixed = parts.reduce((sum, { size }) => sum + ("rem" in size ? size.rem : 0), 0);
  const shares = parts.reduce((sum, { size }) => sum + ("share" in size ? size.share : 0), 0);
  const free = plus(box[extent], { percent: 0, rem: -fixed, gaps: 1 - parts.length });
  let at = box[start];
  parts.forEach(({ node: child, size }, index) => {
    const length = "rem" in size ? { percent: 0, rem: size.rem, gaps: 0 } : times(free, size.share / shares);
    place(child, { ...box, [start]: at, [extent]: length }, [...path, index], into);
    at = plus(at, length);
    const next = parts[index + 1];
    if (next === undefined) return;
    into.separators.push({ path, index, axis, box: { ...box, [start]: at, [extent]: GAP }, extent: plus(free, { percent: 0, rem: fixed, gaps: 0 }), between: [firstOf(child), firstOf(next.node)] });
    at = plus(at, GAP);
  });
}

function minRemOf(node: LayoutNode): number {
  if (typeof node === "string") return MIN_PANEL_REM;
  const least = node.parts.map((part) => minRemOf(part.node));
  return node.axis === "row" ? Math.max(...least) : least.reduce((sum, one) => sum + one, 0);
}

const firstOf = (node: LayoutNode): string => (typeof node === "string" ? node : firstOf(node.parts[0]?.node ?? ""));

const plus = (a: Length, b: Length): Length => ({ percent: a.percent + b.percent, rem: a.rem + b.rem, gaps: a.gaps + b.gaps });

const times = ({ percent, rem, gaps }: Length, factor: number): Length => ({ percent: percent * factor, rem: rem * factor, gaps: gaps * factor });

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
