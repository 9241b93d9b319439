import { expect, test } from "vitest";
import { writeJson } from "./fold";
import { readMessagePack, utf8, utf8Length, writeMessagePack } from "./message-pack";

const read = (...bytes: readonly number[]) => readMessagePack(Uint8Array.from(bytes));
const json = (bytes: Uint8Array) => {
  const node = readMessagePack(bytes);
  return node === undefined ? undefined : writeJson(node);
};

test.each([
  null, true, false, 0, 127, 128, 65_536, -1, -32, -33, -70_000, 9_007_199_254_740_991, 190.1, "", "AAPL", "价格 😀", "x".repeat(40), "y".repeat(300), "z".repeat(70_000),
  [], [1, [2, { a: [] }]], { T: "t", S: "AAPL" }, Array.from({ length: 20 }, (_, at) => at), Array.from({ length: 70_000 }, () => 1),
  Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k${at}`, at])),
])("what is written is read again", (value) => {
  expect(json(writeMessagePack(value))).toBe(JSON.stringify(value));
});

// The types by the specification's table of formats.
test.each([
  ["uint 8", [0xcc, 0xff], "255"],
  ["uint 16", [0xcd, 0xff, 0xff], "65535"],
  ["uint 32", [0xce, 0xff, 0xff, 0xff, 0xff], "4294967295"],
  ["uint 64", [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"],
  ["int 8", [0xd0, 0x80], "-128"],
  ["int 16", [0xd1, 0x80, 0x00], "-32768"],
  ["int 32", [0xd2, 0x80, 0x00, 0x00, 0x00], "-2147483648"],
  ["int 64", [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"],
  ["float 32", [0xca, 0x3f, 0x00, 0x00, 0x00], "0.5"],
  ["bin 8", [0xc4, 0x02, 0x01, 0xff], '"01 ff"'],
  ["str 8", [0xd9, 0x01, 0x41], '"A"'],
  ["not UTF-8", [0xa2, 0x41, 0xff], '"A\ufffd"'],
  ["array 16", [0xdc, 0x00, 0x01, 0xc0], "[null]"],
  ["map 32", [0xdf, 0, 0, 0, 1, 0xa1, 0x61, 0xc3], '{"a":true}'],
  ["fixext 4 timestamp", [0xd6, 0xff, 0, 0, 0, 1], '"1970-01-01T00:00:01Z"'],
  ["fixext 8 timestamp", [0xd7, 0xff, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x02], '"1970-01-01T00:00:02.000000001Z"'],
  ["ext 8 timestamp", [0xc7, 12, 0xff, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], '"1969-12-31T23:59:59.000000005Z"'],
  ["fixext 1 of another type", [0xd4, 0x05, 0xaa], '"5: aa"'],
] as const)("%s is read", (_, bytes, expected) => {
  expect(json(Uint8Array.from(bytes))).toBe(expected);
});

test("bytes that are not exactly one value are not read", () => {
  expect(read()).toBeUndefined();
  expect(read(0xc1)).toBeUndefined();
  expect(read(0x01, 0x02)).toBeUndefined();
  expect(read(0xa5, 0x41)).toBeUndefined();
  expect(read(0xdd, 0xff, 0xff, 0xff, 0xff)).toBeUndefined();
  expect(read(...Array.from({ length: 100_000 }, () => 0x91))).toBeUndefined();
});

test("the size of a text is that of its UTF-8", () => {
  for (const text of ["", "AAPL", "é", "价格", "😀", "a😀b价é", "\ud800"]) {
    expect([text, utf8Length(text), utf8(text).length]).toEqual([text, Buffer.byteLength(text), Buffer.byteLength(text)]);
    expect([...utf8(text)]).toEqual([...Buffer.from(text)]);
  }
});
