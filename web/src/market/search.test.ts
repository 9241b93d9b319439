import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { LISTINGS } from "../../fake/listings";
import type { Instrument } from "@tapecast/client";
import { findInstruments } from ".";

const INSTRUMENTS: readonly Instrument[] = LISTINGS.map((listing) => ({ ...listing, symbol: symbol(listing.symbol) }));
const found = (typed: string) => findInstruments(INSTRUMENTS, typed, 3).map((hit) => hit.symbol);

test("an equal symbol ranks before prefixes, and prefixes before names", () => {
  expect(found("a")).toEqual(["AAPL", "AMZN", "GOOGL"]);
  expect(found("ko")).toEqual(["KO"]);
  expect(found("coca")).toEqual(["KO"]);
  expect(found("oca")).toEqual([]);
  expect(found("  ")).toEqual([]);
});
