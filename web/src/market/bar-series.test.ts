import { expect, test } from "vitest";
import { ohlc as bar, START, trade } from "../../fake/builders";
import { millis, type Trade } from "@tapecast/client";
import { MAX_BARS, BarSeries } from ".";

function folded(intervalMs: number, ...trades: readonly Trade[]): BarSeries {
  const series = new BarSeries(intervalMs);
  for (const one of trades) series.addTrade(one);
  return series;
}

test("trades of one interval fold into one bar", () => {
  const series = folded(1000, trade(0, 10), trade(300, 12), trade(600, 9), trade(999.9, 11, 5));

  expect(series.all).toEqual([bar(0, 10, 12, 9, 11, 35)]);
});

test("the first trade of an interval opens a bar at its own price", () => {
  const series = folded(5000, trade(4999, 10), trade(5000, 11));

  expect(series.all).toEqual([bar(0, 10, 10, 10, 10, 10), bar(5000, 11, 11, 11, 11, 10)]);
});

test("an interval without trades has no bar", () => {
  expect(folded(1000, trade(0, 10), trade(7000, 11)).all).toHaveLength(2);
});

test("a late trade is added to the bar of its own time", () => {
  const series = folded(1000, trade(0, 10), trade(2000, 11), trade(100, 14), trade(1500, 12));

  expect(series.all.map(({ high }) => high)).toEqual([14, 12, 11]);
});

test("a bar of the server replaces ours", () => {
  const series = folded(60_000, trade(30_000, 10), trade(61_000, 12));

  series.putBar(bar(0, 8, 15, 7, 9, 1000));

  expect(series.all).toEqual([bar(0, 8, 15, 7, 9, 1000), bar(60_000, 12, 12, 12, 12, 10)]);
});

test("without changes there is nothing to draw", () => {
  const series = folded(1000, trade(0, 10));
  series.takeUpdate();

  expect(series.takeUpdate()).toEqual({ kind: "none" });
});

test("a change at the end redraws the tail", () => {
  const series = folded(1000, trade(0, 10), trade(1000, 11));
  series.takeUpdate();

  series.addTrade(trade(1500, 12));
  series.addTrade(trade(2000, 13));

  expect(series.takeUpdate()).toEqual({ kind: "tail", bars: [bar(1000, 11, 12, 11, 12, 20), bar(2000, 13, 13, 13, 13, 10)] });
});

test("a change further back redraws everything", () => {
  const series = folded(1000, trade(0, 10), trade(1000, 11));
  series.takeUpdate();

  series.addTrade(trade(500, 12));

  expect(series.takeUpdate().kind).toBe("all");
});

test("a bar inserted before the last one drawn redraws everything", () => {
  const series = folded(1000, trade(0, 10), trade(2000, 11));
  series.takeUpdate();

  series.addTrade(trade(1000, 12));

  expect(series.takeUpdate()).toMatchObject({ kind: "all", bars: [{ open: 10 }, { open: 12 }, { open: 11 }] });
});

test("a series never exceeds its limit and keeps the newest bars", () => {
  const series = new BarSeries(1000);
  let most = 0;

  for (let second = 0; second < 3 * MAX_BARS; second += 1) {
    series.addTrade(trade(second * 1000, 10));
    most = Math.max(most, series.all.length);
  }

  expect(most).toBe(MAX_BARS);
  expect(series.all.at(-1)?.time).toBe(START + (3 * MAX_BARS - 1) * 1000);
});

test("history replaces incomplete bars and keeps complete ones", () => {
  const series = new BarSeries(1000);
  series.markLive(millis(START + 500));
  series.addTrade(trade(500, 10));
  series.addTrade(trade(1_100, 20));

  series.mergeHistory([bar(-1000, 1, 1, 1, 1, 1), bar(0, 2, 10, 2, 10, 99), bar(1000, 20, 20, 20, 20, 1)], millis(START));

  expect(series.all.map(({ volume }) => volume)).toEqual([1, 99, 10]);
  expect(series.firstLiveBar).toBe(START);
});

test("after a gap history replaces bars again until the next live trade", () => {
  const series = new BarSeries(1000);
  series.markLive(millis(START));
  series.addTrade(trade(1_100, 20));
  series.markIncomplete();

  series.mergeHistory([bar(1000, 20, 25, 20, 22, 99)], millis(START));
  expect(series.all).toMatchObject([{ volume: 99, high: 25 }]);
  series.markLive(millis(START + 2_000));

  expect(series.firstLiveBar).toBe(START + 2_000);
});

test("a complete bar whose trades are still in flight is not taken from history", () => {
  const series = new BarSeries(1000);
  series.markLive(millis(START));

  series.mergeHistory([bar(1000, 20, 20, 20, 20, 10)], millis(START));
  series.addTrade(trade(1_100, 20));

  expect(series.all.map(({ volume }) => volume)).toEqual([10]);
});

test("a trade that arrives after its finished bar is not counted twice", () => {
  const series = new BarSeries(1000);
  series.markLive(millis(START));
  series.addTrade(trade(100, 20));
  series.mergeHistory([bar(0, 20, 21, 20, 21, 20)], millis(START + 1_000));

  series.addTrade(trade(900, 21));

  expect(series.all.map(({ volume }) => volume)).toEqual([20]);
});
