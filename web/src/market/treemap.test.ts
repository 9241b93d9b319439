import { expect, test } from "vitest";
import { countThatFits, misplacedShare, neighbourOf, squarify, type Rect } from ".";

const BOX = { x: 0, y: 0, width: 600, height: 400 };

const ratioOf = ({ width, height }: Rect) => Math.max(width / height, height / width);

test("the example of the paper is laid out as in the paper", () => {
  const rects = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });

  // Bruls, Huizing, van Wijk: 6 and 6 on the left, 4 and 3 above the rest, then 2, and 2 and 1 in what remains.
  expect(rects.map(({ x, y, width, height }) => [x, y, width, height].map((value) => Number(value.toFixed(3))))).toEqual([
    [0, 0, 3, 2],
    [0, 2, 3, 2],
    [3, 0, 1.714, 2.333],
    [4.714, 0, 1.286, 2.333],
    [3, 2.333, 1.2, 1.667],
    [4.2, 2.333, 1.2, 1.667],
    [5.4, 2.333, 0.6, 1.667],
  ]);
});

test("areas are proportional to the weights, and together they fill the box", () => {
  const weights = Array.from({ length: 200 }, (_, at) => 1_000 / (at + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);

  const rects = squarify(weights, BOX);

  rects.forEach(({ width, height }, at) => {
    expect((width * height) / (600 * 400)).toBeCloseTo((weights[at] ?? 0) / total, 9);
  });
});

test("no rectangle overlaps another or leaves the box", () => {
  const rects = squarify(Array.from({ length: 60 }, (_, at) => 1 / (at + 1)), BOX);

  for (const [at, a] of rects.entries()) {
    expect(a.x + a.width).toBeLessThan(600.001);
    expect(a.y + a.height).toBeLessThan(400.001);
    for (const b of rects.slice(at + 1)) {
      const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      expect(Math.min(across, down)).toBeLessThan(0.001);
    }
  }
});

test("rectangles are close to squares", () => {
  const rects = squarify(Array.from({ length: 100 }, (_, at) => 1 / (at + 1)), BOX);

  expect(rects.reduce((sum, rect) => sum + ratioOf(rect), 0) / rects.length).toBeLessThan(1.6);
});

test("no weights, and a box without area, give no area", () => {
  expect(squarify([], BOX)).toEqual([]);
  expect(squarify([2, 1], { ...BOX, width: 0 }).every(({ width, height }) => width * height === 0)).toBe(true);
});

test("as many weights share an area as leave the least of them enough", () => {
  expect(countThatFits([6, 2, 1, 1], 1_000, 100)).toBe(4);
  expect(countThatFits([6, 2, 1, 1], 1_000, 101)).toBe(3);
  expect(countThatFits([6, 2, 1, 1], 1_000, 900)).toBe(1);
  expect(countThatFits([], 1_000, 1)).toBe(0);
});

test("the misplaced share is the area that would have to move", () => {
  const weights = (a: number, b: number) => new Map([["A", a], ["B", b]]);

  expect(misplacedShare(weights(1, 1), weights(2, 2))).toBe(0);
  expect(misplacedShare(weights(1, 1), weights(3, 1))).toBe(0.25);
  expect(misplacedShare(new Map(), weights(1, 1))).toBe(1);
  expect(misplacedShare(weights(1, 1), new Map([["C", 5]]))).toBe(1);
  expect(misplacedShare(new Map(), new Map())).toBe(0);
});

// A on the left over the whole height; B above C; D right of C.
const TILES: readonly Rect[] = [
  { x: 0, y: 0, width: 100, height: 200 },
  { x: 100, y: 0, width: 100, height: 80 },
  { x: 100, y: 80, width: 60, height: 120 },
  { x: 160, y: 80, width: 40, height: 120 },
];

test.each([
  [0, "right", 2],
  [1, "left", 0],
  [1, "down", 2],
  [2, "up", 1],
  [2, "right", 3],
  [3, "up", 1],
  [3, "left", 2],
  [3, "right", 3],
  [0, "up", 0],
] as const)("from tile %d an arrow to the %s leads to %d", (from, direction, to) => {
  expect(neighbourOf(TILES, from, direction)).toBe(to);
});

test("every tile is reached by arrow keys", () => {
  const rects = squarify(Array.from({ length: 150 }, (_, at) => 1 / (at + 1)), BOX);
  const reached = new Set([0]);
  const queue = [0];
  for (let from = queue.pop(); from !== undefined; from = queue.pop()) {
    for (const direction of ["left", "right", "up", "down"] as const) {
      const to = neighbourOf(rects, from, direction);
      if (reached.has(to)) continue;
      reached.add(to);
      queue.push(to);
    }
  }

  expect(reached.size).toBe(rects.length);
});
