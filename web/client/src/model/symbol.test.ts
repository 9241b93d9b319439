import { expect, test } from "vitest";
import { asSymbol } from ".";

test.each(["A", "AAPL", "BRK.B", "aapl", "X".repeat(24), "A[]^~-+'!"])("`%s` is a valid symbol", (text) => {
  expect(asSymbol(text)).toBe(text);
});

test.each(["", "A B", 'A"', "A,B", "A\\B", "Ä", "X".repeat(25)])("`%s` is not a valid symbol", (text) => {
  expect(asSymbol(text)).toBeUndefined();
});
