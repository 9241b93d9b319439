import { expect, test } from "vitest";
import { preview, readJson, stringOf, valueAt, visible, writeJson } from "./fold";

const TRADE = '[{"T":"t","S":"AAPL","i":52983525029461123,"p":190.10,"c":["@","I"],"z":null,"ok":true,"e":1e-7}]';

test("numbers keep the digits of the wire, which JSON.parse would lose", () => {
  const node = readJson(TRADE);
  expect(node === undefined ? "" : writeJson(node)).toBe(TRADE);
  expect(JSON.stringify(JSON.parse(TRADE))).not.toBe(TRADE);
});

test.each(['{"a":{"b":[]},"":"x"}', '"text"', "17", "[]", "{}", '["\\"}",":"]', '{"a":1,"a":2}', "[[[[1],2],3],4]", '{"\\u0041":"\\u0042"}'])("what is read and written again is the same value: %s", (text) => {
  const node = readJson(text);
  const written = node === undefined ? "" : writeJson(node);
  expect(JSON.parse(written)).toEqual(JSON.parse(text));
});

test("what is not JSON is not read", () => {
  for (const text of ["", "{", '{"a":}', "hello", "[1,]", '"a" "b"']) expect(readJson(text)).toBeUndefined();
});

test("deep nesting is read without exhausting the stack", () => {
  const depth = 20_000;
  const node = readJson("[".repeat(depth) + "]".repeat(depth));
  expect(node?.kind).toBe("array");
  expect(node === undefined ? 0 : writeJson(node).length).toBe(2 * depth);
  expect(node === undefined ? "" : preview(node, 10)).toBe("[[[[[[[[[…");
});

test("a key that is there twice has its last value, as the server reads it", () => {
  expect(stringOf(valueAt(readJson('{"a":"1","b":"x","a":"2"}'), "a"))).toBe("2");
});

test("a preview is cut, and writes keys without quotes", () => {
  const node = readJson(TRADE);
  expect(node === undefined ? "" : preview(node, 30)).toBe('[{T: "t", S: "AAPL", i: 52983…');
  expect(preview({ kind: "object", entries: [] }, 30)).toBe("{}");
});

test("characters that are not seen or reorder the text are shown as escapes", () => {
  expect(visible("a\u202eb\u0000c\u200bd\n")).toBe("a\\u202eb\\u0000c\\u200bd\\u000a");
  expect(visible("价格 ≥ 1 😀 é")).toBe("价格 ≥ 1 😀 é");
});
