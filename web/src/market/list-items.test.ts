import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { changedSection, itemId, moved, positionOf, reverted, shownItems, without, withSection, type ListItem, type Section } from "./list-items";

const section = (name: string, isFolded = false): Section => ({ id: name, name, isFolded });

/** Items written as `A B [one] C (two) D`: sections in brackets, folded ones in parentheses. */
const items = (text: string): readonly ListItem[] => text.split(" ").map((word) => (/^[[(]/.test(word) ? section(word.slice(1, -1), word.startsWith("(")) : symbol(word)));
const textOf = (list: readonly ListItem[]) => list.map((item) => (typeof item === "string" ? item : item.isFolded ? `(${item.name})` : `[${item.name}]`)).join(" ");
const one = (name: string) => itemId(section(name));

test.each([
  ["A B C", "C", { before: "A" }, "C A B"],
  ["A B C", "A", { after: "B" }, "B A C"],
  ["A B C", "A", { after: "A" }, "A B C"],
  ["A B C", "B", { before: "C" }, "A B C"],
  ["A [one] B C", "B", { before: one("one") }, "A B [one] C"],
  ["A [one] B", "A", { after: one("one") }, "[one] A B"],
  ["A (one) B", "A", { after: one("one") }, "[one] A B"],
  ["A B", "A", { before: "Z" }, "A B"],
  ["A B", "Z", { before: "A" }, "A B"],
] as const)("in %s, %s moved %j gives %s", (before, id, place, after) => {
  expect(textOf(moved(items(before), id, place))).toBe(after);
});

test.each([
  [one("two"), { before: one("one") }, "A [two] D [one] B C"],
  [one("one"), { after: "D" }, "A [two] D [one] B C"],
  // Not among the symbols of another section, nor above symbols without one.
  [one("two"), { before: "C" }, "A [one] B C [two] D"],
  [one("two"), { before: "A" }, "A [two] D [one] B C"],
] as const)("%s takes its symbols along when it is moved %j", (id, place, after) => {
  expect(textOf(moved(items("A [one] B C [two] D"), id, place))).toBe(after);
});

test("folded sections and a filter leave out symbols, the filter also sections without any", () => {
  const list = items("A (one) B [two] C D [three] E");

  expect(textOf(shownItems(list, undefined))).toBe("A (one) [two] C D [three] E");
  expect(textOf(shownItems(list, (of) => of !== "E" && of !== "C"))).toBe("A (one) [two] D");
});

test("the position of a symbol is that in its section", () => {
  const list = items("A [one] B C");

  expect(positionOf(list, symbol("A"))).toEqual({ position: 1, count: 1, section: undefined });
  expect(positionOf(list, symbol("C"))).toEqual({ position: 2, count: 2, section: "one" });
  expect(positionOf(list, symbol("Z"))).toBeUndefined();
});

test("a section is inserted, renamed, folded, and removed without its symbols", () => {
  const list = withSection(items("A B"), section("one"), "B");
  expect(textOf(list)).toBe("A [one] B");
  expect(textOf(changedSection(list, one("one"), { isFolded: true }))).toBe("A (one) B");
  expect(textOf(without(list, [one("one")]))).toBe("A B");
});

test("a change is taken back, whatever was added and removed since", () => {
  const [before, after, now] = [items("A [one] B C"), items("C A B"), items("C D B")];

  expect(textOf(reverted(now, before, after))).toBe("[one] B C D");
});
