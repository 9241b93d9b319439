/** A rectangle, in the unit of the box that it is a part of. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a box into rectangles whose areas are proportional to the weights, as close to squares as the order allows.
 *
 * The algorithm of Bruls, Huizing and van Wijk, "Squarified Treemaps" (Data Visualization 2000): rows are laid along the
 * shorter side of what is left, and a row grows as long as that improves its worst aspect ratio. Weights are to be positive
 * and in descending order, which is what makes it work well. O(n).
 */
export function squarify(weights: readonly number[], box: Rect): readonly Rect[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = total > 0 ? (box.width * box.height) / total : 0;
  const rects: Rect[] = [];
  let rest = box;
  let first = 0;
  while (first < weights.length) {
    const side = Math.min(rest.width, rest.height);
    const [end, area] = rowFrom(weights, first, scale, side);
    rest = layRow(weights, { first, end, area, scale }, rest, rects);
    first = end;
  }
  return rects;
}

/** The end of the row that begins here, and its area. */
function rowFrom(weights: readonly number[], first: number, scale: number, side: number): readonly [end: number, area: number] {
  const largest = (weights[first] ?? 0) * scale;
  let area = largest;
  let worst = worstRatio(largest, largest, area, side);
  let end = first + 1;
  for (; end < weights.length; end += 1) {
    const smallest = (weights[end] ?? 0) * scale;
    const ratio = worstRatio(largest, smallest, area + smallest, side);
    if (ratio > worst) break;
    worst = ratio;
    area += smallest;
  }
  return [end, area];
}

/** The greatest ratio of a longer side to a shorter one in a row, which is that of its largest or its smallest rectangle. */
function worstRatio(largest: number, smallest: number, area: number, side: number): number {
  return Math.max((side * side * largest) / (area * area), (area * area) / (side * side * smallest));
}

interface Row {
  readonly first: number;
  readonly end: number;
  readonly area: number;
  readonly scale: number;
}

/** Lays a row along the shorter side; returns what is left of the box. */
function layRow(weights: readonly number[], { first, end, area, scale }: Row, box: Rect, rects: Rect[]): Rect {
  const isColumn = box.width >= box.height;
  const side = isColumn ? box.height : box.width;
  const depth = side > 0 ? area / side : 0;
  let at = 0;
  for (let index = first; index < end; index += 1) {
    const length = depth > 0 ? ((weights[index] ?? 0) * scale) / depth : 0;
    rects.push(
      isColumn
        ? { x: box.x, y: box.y + at, width: depth, height: length }
        : { x: box.x + at, y: box.y, width: length, height: depth },
    );
    at += length;
  }
  return isColumn
    ? { x: box.x + depth, y: box.y, width: Math.max(0, box.width - depth), height: box.height }
    : { x: box.x, y: box.y + depth, width: box.width, height: Math.max(0, box.height - depth) };
}

/**
 * How many of these weights, in descending order, may share an area so that the least of them has at least this share of
 * it; at least one.
 */
export function countThatFits(weights: readonly number[], area: number, least: number): number {
  let sum = 0;
  let count = 0;
  // Each further weight is less, and its share of the sum too.
  for (const weight of weights) {
    sum += weight;
    if (count > 0 && (weight / sum) * area < least) break;
    count += 1;
  }
  return count;
}

/** How much of the area is in the wrong place: the share that would have to move for each part to have its weight, 0 to 1. */
export function misplacedShare(laid: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  const [laidTotal, nowTotal] = [sum(laid), sum(now)];
  if (laidTotal === 0 || nowTotal === 0) return laidTotal === nowTotal ? 0 : 1;
  let moved = 0;
  for (const [name, weight] of now) moved += Math.max(0, weight / nowTotal - (laid.get(name) ?? 0) / laidTotal);
  return moved;
}

function sum(weights: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const weight of weights.values()) total += weight;
  return total;
}

export type Direction = "left" | "right" | "up" | "down";

/**
 * The rectangle that one reaches from another in a direction: of those that begin where it ends or beyond, the nearest, and
 * of these the one that its middle is beside. The index itself where there is none.
 */
export function neighbourOf(rects: readonly Rect[], from: number, direction: Direction): number {
  const start = rects[from];
  if (start === undefined) return from;
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  rects.forEach((rect, at) => {
    const [ahead, aside] = distances(start, rect, direction);
    if (at === from || ahead < -TOUCHING) return;
    // Beside it comes before near to it: a step to the right stays on the same height.
    const cost = Math.max(0, ahead) + aside * ASIDE_COST;
    if (cost >= least) return;
    least = cost;
    best = at;
  });
  return best;
}

/** Rectangles that share an edge may overlap by the rounding of binary numbers. */
const TOUCHING = 0.5;

/** A distance across the direction counts as this many along it. */
const ASIDE_COST = 4;

/** How far a rectangle is ahead, and how far the middle of the first is from being beside it. */
function distances(from: Rect, to: Rect, direction: Direction): readonly [ahead: number, aside: number] {
  const middle = { x: from.x + from.width / 2, y: from.y + from.height / 2 };
  const asideX = Math.max(0, to.x - middle.x, middle.x - (to.x + to.width));
  const asideY = Math.max(0, to.y - middle.y, middle.y - (to.y + to.height));
  switch (direction) {
    case "left":
      return [from.x - (to.x + to.width), asideY];
    case "right":
      return [to.x - (from.x + from.width), asideY];
    case "up":
      return [from.y - (to.y + to.height), asideX];
    case "down":
      return [to.y - (from.y + from.height), asideX];
  }
}
