import { describe, expect, test } from "vitest";
import { cssOf, placementOf } from "./boxes";
import { firstLayout, readLayout, treeOf, withTree, writeLayout } from "./layout";
import { beside, idsOf, moved, resized, share, splitAt, swapped, without, type LayoutNode } from "./tree";

const OPEN = ["chart", "sales", "stream", "watchlist"];
const WIDE = treeOf(firstLayout(OPEN), "wide") ?? "";

describe("the tree", () => {
  test("a panel that is taken out leaves its room to the others, and a split of one part is that part", () => {
    const rest = without(without(WIDE, "sales"), "stream");
    expect(rest).toEqual({ axis: "column", parts: [share("chart"), share("watchlist", 1.06)] });
    expect(without("chart", "chart")).toBeUndefined();
  });

  test("a row of fixed panels only still fills the board", () => {
    const rest = without(WIDE, "chart");
    expect(splitAt(rest, [0])?.parts).toEqual([share("sales"), { node: "stream", size: { rem: 22.4 } }]);
  });

  test("a panel put beside another one takes half of its place", () => {
    const tree = beside({ axis: "row", parts: [share("a", 2), share("b")] }, "a", "left", "c");
    expect(tree).toEqual({ axis: "row", parts: [share("c"), share("a"), share("b")] });
    expect(beside("a", "a", "down", "b")).toEqual({ axis: "column", parts: [share("a"), share("b")] });
  });

  test("a step moves a panel past its neighbour, out of its split, and to the edge of the board", () => {
    expect(idsOf(moved(WIDE, "sales", "left"))).toEqual(["sales", "chart", "stream", "watchlist"]);
    expect(idsOf(moved(WIDE, "watchlist", "up"))).toEqual(["watchlist", "chart", "sales", "stream"]);
    const out = moved(WIDE, "stream", "down");
    expect(splitAt(out, [])?.parts.map(({ node }) => idsOf(node))).toEqual([["chart", "sales"], ["stream"], ["watchlist"]]);
    const edge = moved(WIDE, "watchlist", "left");
    expect(splitAt(edge, [])).toMatchObject({ axis: "row", parts: [{ node: "watchlist" }, {}] });
    expect(moved("chart", "chart", "left")).toBe("chart");
  });

  test("no move loses or doubles a panel", () => {
    let tree = WIDE;
    for (let at = 0; at < 400; at += 1) {
      const [id, direction] = [OPEN[(at * 7) % 4] ?? "", (["left", "up", "right", "down"] as const)[(at * 5 + Math.floor(at / 9)) % 4] ?? "up"];
      tree = moved(tree, id, direction);
      expect([...idsOf(tree)].sort()).toEqual(OPEN);
    }
    expect([...idsOf(swapped(tree, "chart", "sales"))].sort()).toEqual(OPEN);
  });

  test("a separator changes the two panels beside it and stops at their least size", () => {
    const by = (pixels: number) => splitAt(resized(WIDE, [0], 0, { pixels, extent: 1_430, rem: 13 }), [0])?.parts.map(({ size }) => size);
    expect(by(-130)?.slice(1)).toEqual([{ rem: 30.3 }, { rem: 22.4 }]);
    expect(by(10_000)?.slice(1)).toEqual([{ rem: 12 }, { rem: 22.4 }]);
    const tree = resized(WIDE, [], 0, { pixels: 65, extent: 780, rem: 13 });
    const [top, below] = (splitAt(tree, [])?.parts ?? []).map(({ size }) => ("share" in size ? size.share : 0));
    expect((top ?? 0) / (below ?? 1)).toBeGreaterThan(1.2);
    expect((top ?? 0) + (below ?? 0)).toBeCloseTo(2.06, 2);
  });
});

describe("the placement", () => {
  test("the boxes of a split and the gaps between them fill the board", () => {
    const { panels, separators } = placementOf(WIDE);
    const row = ["chart", "sales", "stream"].map((id) => panels.get(id)?.width ?? { percent: 0, rem: 0, gaps: 0 });
    const sum = (of: (length: { percent: number; rem: number; gaps: number }) => number) => row.reduce((total, one) => total + of(one), 0);
    expect([sum((one) => one.percent), Math.abs(Math.round(sum((one) => one.rem))), sum((one) => one.gaps)]).toEqual([100, 0, -2]);
    expect(separators.map(({ between }) => between)).toEqual([["chart", "sales"], ["sales", "stream"], ["chart", "watchlist"]]);
    expect(cssOf(row[0] ?? { percent: 0, rem: 0, gaps: 0 })).toBe("calc(100% + -42.7rem + -2 * var(--gap))");
  });
});

describe("the stored layout", () => {
  test("it is read as it was written", () => {
    const layout = withTree(firstLayout(OPEN), "wide", moved(WIDE, "watchlist", "left"));
    expect(readLayout(writeLayout(layout), OPEN)).toEqual(layout);
  });

  test("panels that do not exist are left out, and those that are open and have no place get one", () => {
    const tree: LayoutNode = { axis: "row", parts: [share("chart"), share("gone")] };
    const layout = readLayout(JSON.stringify({ open: ["chart", "gone", "sales"], trees: { wide: tree } }), OPEN);
    expect(layout?.open).toEqual(["chart", "sales"]);
    expect(idsOf(layout && treeOf(layout, "wide"))).toEqual(["chart", "sales"]);
    expect(idsOf(layout && treeOf(layout, "ultrawide"))).toEqual(["chart", "sales"]);
  });

  test.each([null, "", "7", "{}", "{\"open\":3}"])("%j is none", (text) => {
    expect(readLayout(text, OPEN)).toBeUndefined();
  });

  test.each([{ axis: "row", parts: [] }, { axis: "x", parts: [share("a"), share("b")] }, { axis: "row", parts: [share("a", -1), share("b")] }, { axis: "row", parts: [share("a"), share("a")] }])(
    "a tree that cannot be shown is replaced by the first one: %j",
    (tree) => {
      expect(readLayout(JSON.stringify({ open: OPEN, trees: { wide: tree } }), OPEN)?.trees).toEqual({});
    },
  );
});
