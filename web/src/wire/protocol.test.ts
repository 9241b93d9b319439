import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { closeOf, readAssets, subscribe, unsubscribe } from ".";

const AAPL = symbol("AAPL");

test("a command names its channels in the protocol's order and leaves out the empty ones", () => {
  expect(subscribe({ bars: [AAPL], quotes: [], trades: [AAPL] })).toBe('{"action":"subscribe","trades":["AAPL"],"bars":["AAPL"]}');
  expect(unsubscribe({ quotes: [AAPL] })).toBe('{"action":"unsubscribe","quotes":["AAPL"]}');
});

test("a restart advises to reconnect, a policy violation does not", () => {
  expect(closeOf(1012).reconnect).toBe("soon");
  expect(closeOf(1013).reconnect).toBe("later");
  expect(closeOf(1008).reconnect).toBe("never");
});

test("an unknown close code advises to reconnect", () => {
  expect(closeOf(4711)).toEqual({ code: 4711, sentence: "closed with code 4711", reconnect: "soon" });
});

test("invalid assets are skipped", () => {
  const body = [{ symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ" }, { symbol: 'A"B' }, null, { symbol: "KO" }];

  expect(readAssets(body)).toEqual([
    { symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ" },
    { symbol: "KO", name: "KO", exchange: "" },
  ]);
});

test("a response that is not a list has no assets", () => {
  expect(readAssets({ message: "not found" })).toBeUndefined();
  expect(readAssets(undefined)).toBeUndefined();
});
