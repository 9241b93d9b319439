import { expect, test } from "vitest";
import { asSymbol } from ".";

test.each(["A", "AAPL", "BRK.B", "aapl", "X".repeat(24), "A[]^~-+'!"])("`%s` is a symbol", (text) => {
  expect(asSymbol(text)).toBe(text);
});

test.each(["", "A B", 'A"', "A,B", "A\\B", "Ä", "X".repeat(25)])("`%s` is none", (text) => {
  expect(asSymbol(text)).toBeUndefined();
});
