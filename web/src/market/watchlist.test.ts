import { expect, test } from "vitest";
import { symbol } from "../../fake/make";
import { MAX_SYMBOLS, Watchlist } from ".";

test("a watchlist that was tampered with is the default one", () => {
  expect(Watchlist.fromText("{").symbols).toContain("AAPL");
  expect(Watchlist.fromText('{"a":1}').symbols).toContain("AAPL");
  expect(Watchlist.fromText(null).symbols).toHaveLength(8);
  expect(Watchlist.fromText('["KO",7,"A B","KO"]').symbols).toEqual(["KO"]);
});

test("a watchlist survives being kept as text, even an empty one", () => {
  const list = Watchlist.fromText('["KO","JPM"]');
  list.remove(symbol("KO"));

  expect(Watchlist.fromText(list.toText()).symbols).toEqual(["JPM"]);
  expect(Watchlist.fromText("[]").symbols).toEqual([]);
});

test("a watchlist has a limit", () => {
  const list = Watchlist.fromText("[]");
  for (let number = 0; number < MAX_SYMBOLS; number += 1) list.add(symbol(`S${number}`));

  expect(list.add(symbol("KO"))).toBe(false);
  expect(list.symbols).toHaveLength(MAX_SYMBOLS);
});

test("the selection moves to a neighbour when its symbol goes", () => {
  const list = Watchlist.fromText('["A","B","C"]');
  list.select(symbol("B"));

  list.remove(symbol("B"));
  expect(list.selected).toBe("C");
  list.remove(symbol("C"));
  expect(list.selected).toBe("A");
  list.remove(symbol("A"));
  expect(list.selected).toBeUndefined();
});

test("the selection stays inside the list", () => {
  const list = Watchlist.fromText('["A","B"]');

  expect(list.neighbour(-1)).toBe("A");
  expect(list.neighbour(1)).toBe("B");
  expect(list.neighbour(5)).toBe("B");
  expect(Watchlist.fromText("[]").neighbour(1)).toBeUndefined();
});
