import { expect, test } from "vitest";
import { readFrame } from ".";

const TRADE = '{"T":"t","S":"AAPL","i":7,"x":"V","p":187.25,"s":100,"c":["@"],"z":"C","t":"2026-11-20T14:30:00.123456789Z","sq":8,"cf":2}';
const QUOTE = '{"T":"q","S":"AAPL","bx":"V","bp":187.2,"bs":300,"ax":"V","ap":187.3,"as":200,"c":["R"],"z":"C","t":"2026-11-20T14:30:00Z"}';
const BAR = '{"T":"d","S":"BRK.B","o":1,"h":4,"l":0.5,"c":2,"v":1000,"n":9,"vw":1.5,"t":"2026-11-20T05:00:00Z","sq":1}';

test("a trade is read with its number and what was merged into it", () => {
  const { events, faults } = readFrame(`[${TRADE}]`);

  expect(faults).toEqual([]);
  expect(events).toMatchObject([
    { channel: "trades", symbol: "AAPL", price: 187.25, size: 100, seq: 8, merged: 2 },
  ]);
});

test("a time keeps its microseconds", () => {
  const time = readFrame(`[${TRADE}]`).events[0]?.time ?? 0;

  expect(time - Date.UTC(2026, 10, 20, 14, 30)).toBeCloseTo(123.4567, 3);
});

test("a quote without a number is read all the same", () => {
  const { events } = readFrame(`[${QUOTE}]`);

  expect(events).toMatchObject([{ channel: "quotes", bid: 187.2, bidSize: 300, ask: 187.3, askSize: 200, merged: 0 }]);
  expect(events[0]?.seq).toBeUndefined();
});

test.each([
  ["b", "bars"],
  ["u", "updatedBars"],
  ["d", "dailyBars"],
])("a bar `%s` belongs to the channel %s", (kind, channel) => {
  const { events } = readFrame(`[${BAR.replace('"d"', `"${kind}"`)}]`);

  expect(events).toMatchObject([{ channel, symbol: "BRK.B", open: 1, high: 4, low: 0.5, close: 2, volume: 1000 }]);
});

test("objects of one frame stay in order", () => {
  const { events } = readFrame(`[${QUOTE},${TRADE},${BAR}]`);

  expect(events.map(({ channel }) => channel)).toEqual(["quotes", "trades", "dailyBars"]);
});

test("the greeting, the acknowledgement and an error are controls", () => {
  expect(readFrame('[{"T":"success","msg":"connected"}]').controls).toEqual([{ control: "connected" }]);
  expect(readFrame('[{"T":"error","code":405,"msg":"symbol limit exceeded"}]').controls).toEqual([
    { control: "error", code: 405, message: "symbol limit exceeded" },
  ]);
  expect(readFrame('[{"T":"subscription","trades":["AAPL"],"bars":["*"]}]').controls).toEqual([
    {
      control: "subscription",
      channels: { trades: ["AAPL"], quotes: [], bars: ["*"], updatedBars: [], dailyBars: [] },
    },
  ]);
});

test("an object of an unknown kind is counted and is no fault", () => {
  expect(readFrame(`[{"T":"h","age_ms":40},${TRADE}]`)).toMatchObject({ unknown: 1, faults: [], events: [{ symbol: "AAPL" }] });
});

test("an object that is broken costs none of its neighbours", () => {
  const { events, faults } = readFrame(`[{"T":"t","S":"AAPL"},${TRADE}]`);

  expect(faults).toHaveLength(1);
  expect(events).toHaveLength(1);
});

test.each([
  ["a price in quotes", TRADE.replace("187.25", '"187.25"')],
  ["a size with a fraction", TRADE.replace('"s":100', '"s":1.5')],
  ["a negative number", TRADE.replace('"sq":8', '"sq":-1')],
  ["a symbol with a space", TRADE.replace("AAPL", "AA PL")],
  ["a day that does not exist", TRADE.replace("2026-11-20T14", "2026-13-45T14")],
  ["a time without its zone", TRADE.replace("789Z", "789")],
  ["no kind", "{}"],
  ["a number in place of an object", "7"],
  ["null", "null"],
])("%s is a fault", (_, object) => {
  expect(readFrame(`[${object}]`)).toMatchObject({ events: [], controls: [], unknown: 0, faults: [expect.any(String)] });
});

test.each([["not JSON"], ["{}"], ["null"], [new ArrayBuffer(4)]])("a frame %s is a fault and no exception", (data) => {
  expect(readFrame(data).faults).toHaveLength(1);
});
