import { expect, test } from "vitest";
import { symbol } from "../../fake/make";
import { closeOf, readAssets, subscribe, unsubscribe } from ".";

const AAPL = symbol("AAPL");

test("a command names its channels in the protocol's order and leaves out the empty ones", () => {
  expect(subscribe({ bars: [AAPL], quotes: [], trades: [AAPL] })).toBe('{"action":"subscribe","trades":["AAPL"],"bars":["AAPL"]}');
  expect(unsubscribe({ quotes: [AAPL] })).toBe('{"action":"unsubscribe","quotes":["AAPL"]}');
});

test("a restart invites back, a policy violation does not", () => {
  expect(closeOf(1012).comeBack).toBe("soon");
  expect(closeOf(1013).comeBack).toBe("later");
  expect(closeOf(1008).comeBack).toBe("never");
});

test("a close code that nobody listed is no reason to stay away", () => {
  expect(closeOf(4711)).toEqual({ code: 4711, sentence: "closed with code 4711", comeBack: "soon" });
});

test("assets that make no sense are left out", () => {
  const body = [{ symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ" }, { symbol: 'A"B' }, null, { symbol: "KO" }];

  expect(readAssets(body)).toEqual([
    { symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ" },
    { symbol: "KO", name: "KO", exchange: "" },
  ]);
});

test("an answer that is no list of assets is none", () => {
  expect(readAssets({ message: "not found" })).toBeUndefined();
  expect(readAssets(undefined)).toBeUndefined();
});
