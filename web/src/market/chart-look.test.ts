import { expect, test } from "vitest";
import { obstacleOf, readChartLook, STUDIES } from ".";

test("a stored look is read as it was chosen", () => {
  const look = { style: "area", studies: ["ema9", "rsi"], compared: ["MSFT", "KO"] };

  expect(readChartLook(JSON.parse(JSON.stringify(look)))).toEqual(look);
});

test("what is missing or invalid has its default", () => {
  const first = { style: "candles", studies: [], compared: [] };

  for (const stored of [undefined, null, 3, "line", {}, { style: "bars", studies: "ema9", compared: { 0: "KO" } }]) expect(readChartLook(stored)).toEqual(first);
  expect(readChartLook({ style: 1, studies: ["rsi", "macd", 4], compared: ["KO", "KO", 5, "not a symbol", "A", "B", "C"] })).toEqual({
    style: "candles",
    studies: ["rsi"],
    compared: ["KO", "A", "B"],
  });
});

test("averages are not drawn beside other symbols, and that of a session not on days", () => {
  const drawn = (intervalMs: number, isComparing: boolean) => STUDIES.filter((study) => obstacleOf(study, intervalMs, isComparing) === undefined);

  expect(drawn(60_000, false)).toEqual(STUDIES);
  expect(drawn(60_000, true)).toEqual(["rsi", "previousClose", "dayRange", "volumeAtPrice"]);
  expect(drawn(86_400_000, false)).not.toContain("vwap");
});
