import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { DEFAULT_SYMBOLS, MAX_SYMBOLS, Watchlists } from "./watchlists";

const [AAPL, KO, XOM] = [symbol("AAPL"), symbol("KO"), symbol("XOM")];
const lists = (...symbols: (typeof AAPL)[]) => new Watchlists([{ name: "one", symbols }], "mine");

test("the first list has the default symbols", () => {
  expect(Watchlists.fromText(null, "mine").current).toEqual({ name: "mine", symbols: DEFAULT_SYMBOLS });
});

test("lists survive serialisation", () => {
  const it = lists(AAPL);
  it.create("two", [KO, XOM]);

  const again = Watchlists.fromText(it.toText(), "mine");

  expect(again.all).toEqual(it.all);
  expect(again.current.name).toBe("two");
});

test.each(["", "7", "{", '{"lists":7}', '{"lists":[{"name":7}]}', '{"shown":-1,"lists":[]}'])(
  "invalid stored text (%s) yields the default list",
  (text) => {
    expect(Watchlists.fromText(text, "mine").all).toHaveLength(1);
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

  it.remove(KO, XOM);

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

test("a shared view opens an equal list or one of its own name", () => {
  const it = lists(AAPL, KO);

  it.openShared([AAPL, KO], "shared");
  expect(it.all).toHaveLength(1);
  it.openShared([XOM], "shared");
  it.openShared([XOM, KO], "shared");

  expect(it.all.map(({ name, symbols }) => [name, symbols])).toEqual([
    ["one", [AAPL, KO]],
    ["shared", [XOM, KO]],
  ]);
});
