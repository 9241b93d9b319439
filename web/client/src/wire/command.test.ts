import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { conditionText, readAssets, subscribe, unsubscribe } from ".";

const AAPL = symbol("AAPL");

test("a command names its channels in the protocol's order and leaves out the empty ones", () => {
  expect(subscribe({ bars: [AAPL], quotes: [], trades: [AAPL] })).toBe('{"action":"subscribe","trades":["AAPL"],"bars":["AAPL"]}');
  expect(unsubscribe({ quotes: [AAPL] })).toBe('{"action":"unsubscribe","quotes":["AAPL"]}');
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

test.each([
  ["price", "rise", 190, "p>=190"],
  ["price", "fall", 0.0000005, "p<=0.0000005"],
  ["change", "rise", 5.25, "chg>=5.25%"],
  ["change", "fall", -5, "chg<=-5%"],
] as const)("an alert on a %s that would %s to %d is the condition %s", (measure, direction, level, text) => {
  expect(conditionText({ measure, direction, level })).toBe(text);
});
