import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { HistoryClient } from "@tapecast/client";
import { InstrumentDirectory } from ".";

const ASSETS = [{ symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ" }];

/** A directory whose server sends these responses, one per request. */
function directory(...responses: unknown[]): InstrumentDirectory {
  return new InstrumentDirectory(new HistoryClient(() => Promise.resolve(responses.shift())));
}

test("instruments are loaded once", async () => {
  const it = directory(ASSETS);

  expect([await it.load(), await it.load()]).toEqual(["loaded", "unchanged"]);
  expect(it.nameOf(symbol("AAPL"))).toBe("Apple Inc.");
  expect(it.find("app", 3).map((found) => found.symbol)).toEqual(["AAPL"]);
});

test("a second load during the first does nothing", async () => {
  const it = directory(ASSETS);

  expect(await Promise.all([it.load(), it.load()])).toEqual(["loaded", "unchanged"]);
});

test("a failed load can be repeated", async () => {
  const it = directory(undefined, ASSETS);

  expect([await it.load(), await it.load()]).toEqual(["failed", "loaded"]);
});

test("before the instruments are loaded any valid symbol is found", () => {
  const it = directory();

  expect(it.find("ko", 3)).toEqual([{ symbol: "KO", name: "", exchange: "" }]);
  expect(it.find("a b", 3)).toEqual([]);
});
