import { expect, test } from "vitest";
import { status, symbol, ticker } from "../../fake/builders";
import { price, shares, type Ticker } from "@tapecast/client";
import { heatOf, heldOrder, WholeMarket, type Mover } from ".";

const SIZES = { movers: 3, largest: 3 };

/** A ticker with this change in per cent and this volume, at $100 before. */
const moved = (name: string, percent: number, volume = 1_000): Ticker => ({
  ...ticker(100 + percent, 100, name),
  volume: shares(volume),
});

const names = (movers: readonly Mover[]) => movers.map(({ symbol }) => symbol);

function marketOf(...tickers: readonly Ticker[]): WholeMarket {
  const market = new WholeMarket();
  for (const one of tickers) market.apply(one);
  return market;
}

test("gainers and losers are ranked by the day's change, and what did not move is neither", () => {
  const market = marketOf(moved("A", 1), moved("B", -2), moved("C", 3), moved("D", 0), moved("E", -1), moved("F", 2), moved("G", 0.5));

  const { movers, symbols, rising, falling } = market.summary(SIZES);

  expect(names(movers.gainers)).toEqual(["C", "F", "A"]);
  expect(names(movers.losers)).toEqual(["B", "E"]);
  expect({ symbols, rising, falling }).toEqual({ symbols: 7, rising: 4, falling: 2 });
});

test("the most active have the highest traded value: volume at the average price, not the most shares", () => {
  const cheap = { ...ticker(2, 2, "CHEAP"), volume: shares(5_000), averagePrice: price(2) };
  const dear = { ...ticker(400, 400, "DEAR"), volume: shares(1_000), averagePrice: price(410) };

  const { movers, largest } = marketOf(cheap, dear).summary(SIZES);

  expect(movers.active.map(({ symbol, value }) => [symbol, value])).toEqual([["DEAR", 410_000], ["CHEAP", 10_000]]);
  expect(names(largest)).toEqual(["DEAR", "CHEAP"]);
});

test("without an average price the last one counts", () => {
  const { movers } = marketOf({ ...ticker(20, 10), volume: shares(3), averagePrice: undefined }).summary(SIZES);

  expect(movers.active[0]?.value).toBe(60);
});

test("a symbol without a trade today or without a previous close moves in no list", () => {
  const quiet = { ...moved("QUIET", 5), volume: shares(0) };
  const unknown = { ...moved("NEW", 5), previousClose: undefined };

  const { movers, largest, symbols } = marketOf(quiet, unknown).summary(SIZES);

  expect([movers.gainers, movers.active, largest]).toEqual([[], [], []]);
  expect(symbols).toBe(2);
});

test("a halted symbol is listed with its reason until trading resumes", () => {
  const market = marketOf(moved("A", 1), moved("B", 1));
  market.apply(status("halted", "News Pending", "B"));

  expect(market.summary(SIZES).movers.halted).toMatchObject([{ symbol: "B", reason: "News Pending", last: 101 }]);
  market.apply(status("open", "", "B"));
  expect(market.summary(SIZES).movers.halted).toEqual([]);
});

test("a symbol that is halted before its first ticker is listed", () => {
  const market = new WholeMarket();
  market.apply(status("halted", "", "B"));

  expect(names(market.summary(SIZES).movers.halted)).toEqual(["B"]);
});

test("the latest ticker of a symbol replaces the one before", () => {
  const { movers } = marketOf(moved("A", 1), moved("A", -4)).summary(SIZES);

  expect([names(movers.gainers), names(movers.losers)]).toEqual([[], ["A"]]);
});

test("the lists are those of a sort, for any number of symbols", () => {
  // A fixed order without a pattern.
  const tickers = Array.from({ length: 2_000 }, (_, at) => moved(`S${at}`, ((at * 7_919) % 2_003) / 100 - 10, 1 + ((at * 104_729) % 1_999)));
  const sorted = [...tickers].sort((a, b) => (b.last ?? 0) - (a.last ?? 0));

  const { movers } = marketOf(...tickers).summary({ movers: 50, largest: 200 });

  expect(names(movers.gainers)).toEqual(sorted.slice(0, 50).map(({ symbol }) => symbol));
  expect(names(movers.losers)).toEqual(sorted.reverse().slice(0, 50).map(({ symbol }) => symbol));
});

test("a held list keeps its places: what comes takes the place of what goes", () => {
  const order = (text: string) => text.split("").map(symbol);

  expect(heldOrder(order("ABC"), order("CDA"))).toEqual(order("ADC"));
  expect(heldOrder(order("A"), order("EAD"))).toEqual(order("AED"));
  expect(heldOrder(order("ABC"), order("A"))).toEqual(order("A"));
});

test.each([
  [0, 0],
  [0.0009, 0],
  [-0.0009, 0],
  [0.001, 1],
  [-0.0099, -1],
  [0.01, 2],
  [-0.025, -3],
  [0.5, 4],
  [-0.03, -4],
])("a change of %d has the colour %d", (ratio, heat) => {
  expect(heatOf(ratio)).toBe(heat);
});
