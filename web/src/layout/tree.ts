/** The direction in which a split puts its parts beside each other. */
export type Axis = "row" | "column";

export type Direction = "left" | "right" | "up" | "down";

/** The extent of a part along its split: a share of what the fixed parts leave, or a fixed one in units of the text size. */
export type Size = { readonly share: number } | { readonly rem: number };

export interface Part {
  readonly node: LayoutNode;
  readonly size: Size;
}

export interface Split {
  readonly axis: Axis;
  /** At least two. */
  readonly parts: readonly Part[];
}

/** A panel by its id, or a split. */
export type LayoutNode = string | Split;

/** Where a split is in the tree: the index of the part at each level. */
export type Path = readonly number[];

/** No panel is made smaller than this by a separator. */
const MIN_REM = { row: 12, column: 8 } as const;

export const share = (node: LayoutNode, size = 1): Part => ({ node, size: { share: size } });

/** The ids in the order of reading. */
export function idsOf(node: LayoutNode | undefined): readonly string[] {
  if (node === undefined) return [];
  return typeof node === "string" ? [node] : node.parts.flatMap((part) => idsOf(part.node));
}

/** The tree without a panel; undefined if it was the only one. */
export function without(node: LayoutNode | undefined, id: string): LayoutNode | undefined {
  if (node === undefined || node === id) return undefined;
  if (typeof node === "string") return node;
  const parts = node.parts.flatMap(({ node: child, size }) => {
    const left = without(child, id);
    return left === undefined ? [] : [{ node: left, size }];
  });
  return joined(node.axis, parts);
}

/** The tree with a panel put beside another one. */
export function beside(node: LayoutNode, target: string, direction: Direction, id: string): LayoutNode {
  if (node === target) return { axis: axisOf(direction), parts: inOrder(direction, share(id), share(target)) };
  if (typeof node === "string") return node;
  const at = node.parts.findIndex((part) => part.node === target);
  if (at < 0 || node.axis !== axisOf(direction)) {
    return { ...node, parts: node.parts.map((part) => ({ ...part, node: beside(part.node, target, direction, id) })) };
  }
  // In the same split the target gives half of its place.
  const parts = node.parts.flatMap((part, place) => {
    if (place !== at) return [part];
    const half = halved(part.size);
    return inOrder(direction, { node: id, size: half }, { node: target, size: half });
  });
  return { ...node, parts };
}

/** The tree with two panels exchanged. */
export function swapped(node: LayoutNode, one: string, other: string): LayoutNode {
  if (typeof node !== "string") return { ...node, parts: node.parts.map((part) => ({ ...part, node: swapped(part.node, one, other) })) };
  if (node === one) return other;
  return node === other ? one : node;
}

/**
 * The tree with a panel moved one step: past its neighbour in its own split, or else out of it beside the next split
 * around that lies in this direction, or else to the edge of the board. So every arrangement can be reached.
 */
export function moved(tree: LayoutNode, id: string, direction: Direction): LayoutNode {
  const [axis, step] = [axisOf(direction), direction === "left" || direction === "up" ? -1 : 1];
  const around = splitsAround(tree, id);
  const parent = around.at(-1);
  if (parent === undefined) return tree;
  if (parent.axis === axis) {
    const at = parent.parts.findIndex(({ node }) => node === id);
    const [own, neighbour] = [parent.parts[at], parent.parts[at + step]];
    if (own !== undefined && neighbour !== undefined) {
      const parts = parent.parts.map((part) => (part === own ? neighbour : part === neighbour ? own : part));
      return replaced(tree, parent, { axis, parts });
    }
  }
  const outer = around.slice(0, -1).filter((split) => split.axis === axis).at(-1);
  if (outer === undefined) {
    const rest = without(tree, id);
    if (rest === undefined || (parent === tree && parent.axis === axis)) return tree;
    return { axis, parts: inOrder(direction, share(id), share(rest, 2)) };
  }
  const parts = outer.parts.flatMap((part): readonly Part[] => {
    if (!idsOf(part.node).includes(id)) return [part];
    const left = without(part.node, id);
    const half = halved(part.size);
    return left === undefined ? [part] : inOrder(direction, { node: id, size: half }, { node: left, size: half });
  });
  return replaced(tree, outer, { axis, parts });
}

/**
 * The tree after a separator was moved.
 *
 * `pixels` towards the end, in a split that is `extent` pixels long; `rem` is the text size in pixels.
 */
export function resized(tree: LayoutNode, path: Path, index: number, { pixels, extent, rem }: { readonly pixels: number; readonly extent: number; readonly rem: number }): LayoutNode {
  const split = splitAt(tree, path);
  const [before, after] = [split?.parts[index], split?.parts[index + 1]];
  if (split === undefined || before === undefined || after === undefined) return tree;
  const fixed = split.parts.reduce((sum, { size }) => sum + ("rem" in size ? size.rem : 0), 0);
  const shares = split.parts.reduce((sum, { size }) => sum + ("share" in size ? size.share : 0), 0);
  const perShare = shares === 0 ? 0 : (extent / rem - fixed) / shares;
  const remOf = ({ size }: Part) => ("rem" in size ? size.rem : size.share * perShare);
  const least = MIN_REM[split.axis];
  const wanted = pixels / rem;
  const change = Math.min(Math.max(wanted, least - remOf(before)), remOf(after) - least);
  // A panel that is smaller than the least size already may still grow.
  if (change * wanted <= 0) return tree;
  const changed = (part: Part, by: number): Part => {
    if ("rem" in part.size) return { ...part, size: { rem: round(part.size.rem + by) } };
    return perShare <= 0 ? part : { ...part, size: { share: round(part.size.share + by / perShare) } };
  };
  const parts = split.parts.map((part) => (part === before ? changed(part, change) : part === after ? changed(part, -change) : part));
  return replaced(tree, split, { ...split, parts });
}

/** The split at a path. */
export function splitAt(tree: LayoutNode | undefined, path: Path): Split | undefined {
  let node = tree;
  for (const index of path) node = typeof node === "object" ? node.parts[index]?.node : undefined;
  return typeof node === "object" ? node : undefined;
}

/** The tree with exactly these panels: others are taken out, missing ones put where there is most room. */
export function reconciled(tree: LayoutNode | undefined, ids: readonly string[]): LayoutNode | undefined {
  let result = tree;
  for (const id of idsOf(tree)) {
    if (!ids.includes(id)) result = without(result, id);
  }
  for (const id of ids) {
    if (!idsOf(result).includes(id)) result = added(result, id);
  }
  return result;
}

/** The tree with a panel added, which takes half of the largest one. */
function added(tree: LayoutNode | undefined, id: string): LayoutNode {
  if (tree === undefined) return id;
  const areas = areasOf(tree, NOMINAL.width, NOMINAL.height);
  const [largest] = [...areas].sort((a, b) => b.width * b.height - a.width * a.height);
  if (largest === undefined) return tree;
  return beside(tree, largest.id, largest.width > largest.height ? "right" : "down", id);
}

/** A board by which rooms are compared, in rem: a window of 1440 by 900. */
const NOMINAL = { width: 110, height: 58 };

interface Area {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

function areasOf(node: LayoutNode, width: number, height: number): readonly Area[] {
  if (typeof node === "string") return [{ id: node, width, height }];
  const extent = node.axis === "row" ? width : height;
  const fixed = node.parts.reduce((sum, { size }) => sum + ("rem" in size ? size.rem : 0), 0);
  const shares = node.parts.reduce((sum, { size }) => sum + ("share" in size ? size.share : 0), 0);
  return node.parts.flatMap(({ node: child, size }) => {
    const own = "rem" in size ? size.rem : (Math.max(0, extent - fixed) * size.share) / shares;
    return node.axis === "row" ? areasOf(child, own, height) : areasOf(child, width, own);
  });
}

const axisOf = (direction: Direction): Axis => (direction === "left" || direction === "right" ? "row" : "column");

const inOrder = (direction: Direction, first: Part, other: Part): readonly Part[] => (direction === "left" || direction === "up" ? [first, other] : [other, first]);

const halved = (size: Size): Size => ("rem" in size ? { rem: size.rem } : { share: size.share / 2 });

const round = (size: number): number => Math.round(size * 1_000) / 1_000;

/** A split of these parts. One of a single part is that part; parts of the same axis become parts of this one. */
function joined(axis: Axis, parts: readonly Part[]): LayoutNode | undefined {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first?.node;
  // Without a part that takes what is left, the first one does.
  const isFixed = parts.every(({ size }) => "rem" in size);
  return { axis, parts: isFixed ? [share(first.node), ...others] : parts };
}

/** The splits around a panel, outermost first. */
function splitsAround(node: LayoutNode, id: string): readonly Split[] {
  if (typeof node === "string") return [];
  const branch = node.parts.find((part) => idsOf(part.node).includes(id));
  return branch === undefined ? [] : [node, ...splitsAround(branch.node, id)];
}

function replaced(node: LayoutNode, old: Split, next: Split): LayoutNode {
  if (node === old) return next;
  if (typeof node === "string") return node;
  return { ...node, parts: node.parts.map((part) => ({ ...part, node: replaced(part.node, old, next) })) };
}
