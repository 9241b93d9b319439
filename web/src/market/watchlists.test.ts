import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import type { ListItem, Section } from "./list-items";
import { MAX_SYMBOLS } from "./stored-lists";
import { DEFAULT_SYMBOLS, Watchlists } from "./watchlists";

const [AAPL, KO, XOM] = [symbol("AAPL"), symbol("KO"), symbol("XOM")];

/** Ids `new1`, `new2`, … */
const ids = () => {
  let made = 0;
  return () => `new${(made += 1)}`;
};
const lists = (...items: ListItem[]) => new Watchlists([{ id: "a", name: "one", items }], "mine", ids());
const stored = (text: string | null) => Watchlists.fromText(text, "mine", ids());

test("the first list has the default symbols", () => {
  expect(stored(null).current).toEqual({ id: "default", name: "mine", items: DEFAULT_SYMBOLS });
});

test("lists survive serialisation", () => {
  const it = lists(AAPL);
  it.create("two", [KO, XOM]);

  const again = stored(it.toText());

  expect(again.all).toEqual(it.all);
  expect(again.current.name).toBe("two");
});

test.each(["", "7", "{", '{"lists":7}', '{"lists":[{"name":7}]}', '{"shown":-1,"lists":[]}'])(
  "invalid stored text (%s) yields the default list",
  (text) => {
    expect(stored(text).all).toHaveLength(1);
  },
);

test("a symbol is added once, and the size limit holds", () => {
  const it = lists(AAPL);
  expect(it.add(AAPL)).toBe(true);
  expect(it.symbols).toEqual([AAPL]);

  for (let at = 1; at < MAX_SYMBOLS; at += 1) it.add(symbol(`S${at}`));

  expect(it.add(KO)).toBe(false);
});

test("when the selected symbol is removed, its neighbour is selected", () => {
  const it = lists(AAPL, KO, XOM);
  it.select(KO);

  it.remove([KO], XOM);

  expect(it.selected).toBe(XOM);
});

test("switching lists selects the first symbol and wraps around", () => {
  const it = lists(AAPL);
  it.create("two", [KO]);
  expect(it.selected).toBe(KO);

  it.show(it.index + 1);

  expect(it.current.name).toBe("one");
});

test("the last list cannot be deleted", () => {
  const it = lists(AAPL);
  it.create("two");
  it.delete();
  it.delete();

  expect(it.all.map(({ name }) => name)).toEqual(["one"]);
});

test("a shared list is shown, changed and not kept, unless it equals a kept one", () => {
  const it = lists(AAPL, KO);
  const before = it.toText();

  it.openShared([AAPL, KO], "shared");
  expect([it.isShared, it.all.length]).toEqual([false, 1]);
  it.openShared([XOM], "shared");
  it.add(KO);

  expect(it.isShared).toBe(true);
  expect(it.current).toMatchObject({ name: "shared", items: [XOM, KO] });
  expect(it.toText()).toBe(before);
});

test("a shared list that the user keeps or renames is a list like the others", () => {
  const it = lists(AAPL);
  it.openShared([XOM, KO], "shared");
  it.select(KO);

  it.rename("oil");

  expect([it.isShared, it.selected]).toEqual([false, KO]);
  expect(stored(it.toText()).current).toEqual({ id: "new1", name: "oil", items: [XOM, KO] });
  expect(it.all).toHaveLength(2);
});

test("a removed symbol returns to its place, a deleted list to its own, even after other changes", () => {
  const it = lists(AAPL, KO, XOM);
  const symbolRemoved = it.remove([KO], undefined);
  it.create("two", [XOM]);
  const listRemoved = it.delete();
  it.remove([AAPL], undefined);

  if (symbolRemoved !== undefined) it.revert(symbolRemoved);
  expect([it.symbols, it.selected]).toEqual([[KO, XOM], KO]);
  if (listRemoved !== undefined) it.revert(listRemoved);

  expect(it.current).toEqual({ id: "new1", name: "two", items: [XOM] });
  expect(it.all).toHaveLength(2);
});

test("the changes of another tab are taken over, and this tab's list and symbol stay", () => {
  const [here, there] = [lists(AAPL, KO), lists(AAPL, KO)];
  here.select(KO);
  there.create("two", [XOM]);
  there.show(0);
  there.add(XOM);

  here.update(there.toText());

  expect([here.current.id, here.symbols, here.selected, here.all.length]).toEqual(["a", [AAPL, KO, XOM], KO, 2]);
});

test("a list that another tab deleted is left", () => {
  const here = lists(AAPL);
  here.create("two", [KO]);
  const there = stored(here.toText());
  there.delete();

  here.update(there.toText());

  expect([here.current.name, here.selected]).toEqual(["one", AAPL]);
});

test("lists of earlier versions, without ids, get the same ids in every tab", () => {
  const text = '{"shown":1,"lists":[{"name":"one","symbols":["AAPL"]},{"name":"two","symbols":["KO"]}]}';

  expect(stored(text).all).toEqual(stored(text).all);
  expect(stored(text).current.name).toBe("two");
});

test("sections survive serialisation, beside the symbols that earlier versions read", () => {
  const tech: Section = { id: "t", name: "Tech", isFolded: true };
  const empty: Section = { id: "e", name: "Empty", isFolded: false };
  const it = lists(KO, tech, AAPL, XOM, empty);

  expect(stored(it.toText()).items).toEqual([KO, tech, AAPL, XOM, empty]);
  expect(JSON.parse(it.toText())).toMatchObject({ lists: [{ symbols: ["KO", "AAPL", "XOM"] }] });
});

test("invalid and double sections are ignored", () => {
  const text = '{"shown":"a","lists":[{"id":"a","name":"one","symbols":["AAPL"],"sections":[7,{"id":"t","name":"Tech","at":0},{"id":"t","name":"Again","at":1},{"id":"u","name":8,"at":0}]}]}';

  expect(stored(text).items).toEqual([{ id: "t", name: "Tech", isFolded: false }, AAPL]);
});

test("an added symbol that is selected is selected no more when the addition is taken back", () => {
  const it = lists(AAPL);
  const change = it.edit((items) => [...items, KO]);
  it.select(KO);

  if (change !== undefined) it.revert(change);

  expect([it.symbols, it.selected, it.visited]).toEqual([[AAPL], AAPL, undefined]);
});

test("an edit that changes nothing is no change", () => {
  expect(lists(AAPL).edit((items) => [...items])).toBeUndefined();
});

test("a symbol may be looked at without being in the list, and stays selected while the list changes", () => {
  const it = lists(AAPL, KO);
  it.visit(XOM);
  expect([it.selected, it.visited, it.symbols]).toEqual([XOM, XOM, [AAPL, KO]]);

  const there = stored(it.toText());
  there.add(symbol("INTC"));
  it.update(there.toText());
  it.remove([KO], AAPL);
  expect([it.selected, it.symbols]).toEqual([XOM, [AAPL, "INTC"]]);

  it.add(XOM);
  expect([it.selected, it.visited]).toEqual([XOM, undefined]);
  it.select(AAPL);
  expect([it.selected, it.visited]).toEqual([AAPL, undefined]);
});
