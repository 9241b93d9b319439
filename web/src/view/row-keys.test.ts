import { expect, test } from "vitest";
import { rowCommandOf } from "./row-keys";

const press = (key: string, held: "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "none" = "none") =>
  ({ key, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, [held]: true }) as unknown as KeyboardEvent;

test.each([
  ["ArrowUp", "altKey", "symbol", "moveUp"],
  ["ArrowDown", "altKey", "section", "moveDown"],
  ["ArrowUp", "none", "symbol", undefined],
  ["f", "none", "symbol", "flag"],
  ["f", "ctrlKey", "symbol", undefined],
  ["f", "none", "section", undefined],
  ["p", "metaKey", "symbol", undefined],
  ["s", "none", "symbol", "section"],
  ["s", "none", "section", "section"],
  ["Enter", "none", "section", "toggle"],
  ["Enter", "none", "symbol", undefined],
  ["ArrowRight", "none", "section", "unfold"],
  ["ArrowRight", "shiftKey", "section", undefined],
  ["Delete", "none", "section", "remove"],
  ["Delete", "none", "symbol", undefined],
] as const)("%s with %s on a %s is %s", (key, held, kind, command) => {
  expect(rowCommandOf(press(key, held), kind)).toBe(command);
});
