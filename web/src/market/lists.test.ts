import { expect, test } from "vitest";
import { symbol } from "../../fake/make";
import { DEFAULT_SYMBOLS, Lists, MAX_SYMBOLS } from "./lists";

const [AAPL, KO, XOM] = [symbol("AAPL"), symbol("KO"), symbol("XOM")];
const lists = (...symbols: (typeof AAPL)[]) => new Lists([{ name: "one", symbols }], "mine");

test("nobody's first list is empty", () => {
  expect(Lists.fromText(null, "mine").current).toEqual({ name: "mine", symbols: DEFAULT_SYMBOLS });
});

test("lists survive being kept as text", () => {
  const it = lists(AAPL);
  it.create("two", [KO, XOM]);

  const again = Lists.fromText(it.toText(), "mine");

  expect(again.all).toEqual(it.all);
  expect(again.current.name).toBe("two");
});

test.each(["", "7", "{", '{"lists":7}', '{"lists":[{"name":7}]}', '{"shown":-1,"lists":[]}'])(
  "text that was tampered with (%s) is as good as none",
  (text) => {
    expect(Lists.fromText(text, "mine").all).toHaveLength(1);
  },
);

test("a symbol is added once, up to the limit", () => {
  const it = lists(AAPL);
  expect(it.add(AAPL)).toBe(true);
  expect(it.symbols).toEqual([AAPL]);

  for (let at = 1; at < MAX_SYMBOLS; at += 1) it.add(symbol(`S${at}`));

  expect(it.add(KO)).toBe(false);
});

test("when the selected symbol goes, its neighbour on the board is selected", () => {
  const it = lists(AAPL, KO, XOM);
  it.select(KO);

  it.remove(KO, XOM);

  expect(it.selected).toBe(XOM);
});

test("another list is shown from its first symbol, and after the last comes the first", () => {
  const it = lists(AAPL);
  it.create("two", [KO]);
  expect(it.selected).toBe(KO);

  it.show(it.place + 1);

  expect(it.current.name).toBe("one");
});

test("the last list cannot be deleted", () => {
  const it = lists(AAPL);
  it.create("two");
  it.delete();
  it.delete();

  expect(it.all.map(({ name }) => name)).toEqual(["one"]);
});

test("a shared view is the list that is just so, or one of its own name", () => {
  const it = lists(AAPL, KO);

  it.visit([AAPL, KO], "shared");
  expect(it.all).toHaveLength(1);
  it.visit([XOM], "shared");
  it.visit([XOM, KO], "shared");

  expect(it.all.map(({ name, symbols }) => [name, symbols])).toEqual([
    ["one", [AAPL, KO]],
    ["shared", [XOM, KO]],
  ]);
});
