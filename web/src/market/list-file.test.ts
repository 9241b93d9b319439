import { expect, test } from "vitest";
import { price, shares } from "@tapecast/client";
import { symbol } from "../../fake/builders";
import { readListFile, readNumber, writeListFile } from "./list-file";
import type { ListItem } from "./list-items";

const held = (quantity: number, cost: number) => ({ quantity: shares(quantity), cost: price(cost) });
const tech = { id: "1", name: "Tech, big", isFolded: false };
const items: readonly ListItem[] = [symbol("KO"), tech, symbol("AAPL"), symbol("BRK.B")];
const of = {
  exchange: (one: string) => ({ AAPL: "NASDAQ", KO: "NYSE" })[one] ?? "",
  position: (one: string) => (one === "AAPL" ? held(-10, 187.25) : undefined),
};

/** Symbols as `section/symbol quantity×cost`. */
const read = (text: string) =>
  readListFile(text).symbols.map(({ symbol: name, section, position }) => `${section ?? ""}/${name}${position === undefined ? "" : ` ${position.quantity}×${position.cost}`}`);

test("a list is written in TradingView's format and read again", () => {
  const text = writeListFile("tradingview", items, of);

  expect(text).toBe("NYSE:KO,###Tech  big,NASDAQ:AAPL,BRK.B\n");
  expect(read(text)).toEqual(["/KO", "Tech  big/AAPL", "Tech  big/BRK.B"]);
});

test("a list is written as CSV with positions and sections and read again", () => {
  const text = writeListFile("csv", items, of);

  expect(text).toBe('symbol,quantity,cost,section\r\nKO,,,\r\nAAPL,-10,187.25,"Tech, big"\r\nBRK.B,,,"Tech, big"\r\n');
  expect(read(text)).toEqual(["/KO", "Tech, big/AAPL -10×187.25", "Tech, big/BRK.B"]);
  expect(readListFile(text).notUnderstood).toEqual([]);
});

test("a list without sections has no such column, and a formula is written as text", () => {
  expect(writeListFile("csv", [symbol("KO")], of)).toBe("symbol,quantity,cost\r\nKO,,\r\n");
  expect(writeListFile("csv", [{ ...tech, name: "=1+1" }, symbol("KO")], of)).toContain("KO,,,'=1+1\r\n");
});

test.each([
  ["AAPL, tsla IBM", ["/AAPL", "/TSLA", "/IBM"]],
  ["\uFEFFaapl;brk.b\n\tKO|", ["/AAPL", "/BRK.B", "/KO"]],
  ["###My picks,NASDAQ:AAPL,NYSE:BRK.B\n###Other,AMEX:SPY", ["My picks/AAPL", "My picks/BRK.B", "Other/SPY"]],
  ["Symbol\nAAPL\nnyse:ko\n", ["/AAPL", "/KO"]],
  ['Ticker;Qty;Cost\nAAPL;"1.234,5";12,5\nKO;-3;7', ["/AAPL 1234.5×12.5", "/KO -3×7"]],
  ['name\tsymbol\tshares\tavg cost\nApple\tAAPL\t1,000\t$12.30', ["/AAPL 1000×12.3"]],
  ["", []],
])("of the file %j the symbols are %j", (text, symbols) => {
  expect(read(text)).toEqual(symbols);
  expect(readListFile(text).notUnderstood).toEqual([]);
});

test("what is not understood is told, and the rest is read", () => {
  expect(readListFile('AAPL "quoted" KO').notUnderstood).toEqual(['"quoted"']);
  const csv = readListFile("symbol,quantity,cost\nAAPL,many,5\n,1,2\nKO,0,1\nXOM,5,10\n");
  expect(csv.notUnderstood).toEqual(["AAPL many × 5", ",1,2", "KO 0 × 1"]);
  expect(csv.symbols.map(({ symbol: name, position }) => [name, position?.quantity])).toEqual([["AAPL", undefined], ["KO", undefined], ["XOM", 5]]);
});

test.each([["1,234.5", 1_234.5], ["−5", -5], ["-$12.30", -12.3], [".5", 0.5], ["1e5", undefined], ["", undefined], ["5 shares", undefined]])("the number %j is %d", (text, number) => {
  expect(readNumber(text)).toBe(number);
});
