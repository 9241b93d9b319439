import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { FakeServer } from "../fake/server";
import { formatPercent, formatRoundedPrice } from "../src/format";
import { ema, rsi, type Indicator } from "../src/market";
import { millis, price, shares, type Ohlc } from "@tapecast/client";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, STILL, waitUntilLive } from "./dashboard-page";

/** What a chart draws besides its prices, chosen by the menu on its head. */

const open = dashboards();

const MINUTES = "?list=AAPL,MSFT,TSLA,KO&interval=60";

/** Days have no shade outside of the exchange's hours, which changes the colours of what is drawn over it. */
const DAYS = "?list=AAPL,MSFT,TSLA,KO&interval=86400";

const button = (panel: string) => `#panel-${panel} .chart-menu-button`;
const menu = (panel: string) => `#panel-${panel} .chart-menu`;

/** The texts of the legend of a chart's lines. */
const legendOf = (page: Page, panel = "chart") => page.locator(`#panel-${panel} .study-legend li`).allTextContents();

async function choose(page: Page, panel: string, ...names: readonly string[]): Promise<void> {
  await page.click(button(panel));
  for (const name of names) await page.locator(`${menu(panel)} label`, { hasText: name }).click();
  await page.keyboard.press("Escape");
  await page.locator(menu(panel)).waitFor({ state: "hidden" });
  // Away from the chart, whose crosshair has labels of its own.
  await page.mouse.move(0, 0);
}

const waitForBars = (page: Page) => expect.poll(() => page.locator("#panel-chart .chart-empty").isHidden(), DEADLINE).toBe(true);

/** The bars of a minute that the server has, oldest first. */
async function minutesOf(server: FakeServer, symbol: string): Promise<readonly Ohlc[]> {
  const response = await fetch(`http://${server.origin}/v2/stocks/bars?symbols=${symbol}&timeframe=1Min&limit=600`);
  const { bars } = (await response.json()) as { readonly bars: Readonly<Record<string, readonly Record<"t" | "o" | "h" | "l" | "c" | "v", never>[]>> };
  const list = (bars[symbol] ?? []).map(({ t, o, h, l, c, v }) => ({
    time: millis(Date.parse(t)),
    ...{ open: price(o), high: price(h), low: price(l), close: price(c), volume: shares(v) },
  }));
  return list.sort((a, b) => a.time - b.time);
}

const lastValue = (start: Indicator, bars: readonly Ohlc[]) => bars.reduce((indicator, bar) => indicator.next(bar), start).value ?? Number.NaN;

/** The number of pixels of the chart in a colour of the style sheet, with an opacity between these, of 255. */
const pixelsOf = (page: Page, colour: string, alpha: readonly [least: number, most: number]) =>
  page.evaluate(
    ([colour, [least, most]]) => {
      const probe = document.createElement("span");
      probe.style.color = `var(${colour})`;
      document.body.append(probe);
      const wanted = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
      probe.remove();
      let count = 0;
      for (const canvas of document.querySelectorAll<HTMLCanvasElement>("#panel-chart .chart canvas")) {
        const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        for (let at = 0; at < data.length; at += 4) {
          const opacity = data[at + 3] ?? 0;
          // The fainter a pixel, the more its colours are rounded.
          const slack = Math.max(3, 200 / opacity);
          if (opacity >= least && opacity <= most && wanted.every((value, part) => Math.abs(value - (data[at + part] ?? 0)) <= slack)) count += 1;
        }
      }
      return count;
    },
    [colour, alpha] as const,
  );

test("indicators have the values of their bars in the legend, and change with each trade", async () => {
  const { page, server } = await open({ market: STILL, query: MINUTES });
  await waitForBars(page);
  await choose(page, "chart", "EMA 9", "EMA 21", "RSI 14");

  for (const last of [229.5, 224.25, 231]) {
    server.print("AAPL", last);
    const expected = async () => {
      const bars = await minutesOf(server, "AAPL");
      const [short, long, strength] = [ema(9), ema(21), rsi(14)].map((start) => lastValue(start, bars));
      expect(bars.at(-1)?.close).toBe(last);
      return [`EMA 9 ${formatRoundedPrice(short ?? 0)}`, `EMA 21 ${formatRoundedPrice(long ?? 0)}`, `RSI 14 ${(strength ?? 0).toFixed(1)}`];
    };
    await expect.poll(async () => JSON.stringify(await legendOf(page)) === JSON.stringify(await expected()), DEADLINE).toBe(true);
  }
});

test("the legend has the values at the crosshair", async () => {
  const { page, server } = await open({ market: STILL, query: MINUTES });
  await waitForBars(page);
  await choose(page, "chart", "EMA 9");
  const newest = async () => `EMA 9 ${formatRoundedPrice(lastValue(ema(9), await minutesOf(server, "AAPL")))}`;
  await expect.poll(async () => (await legendOf(page))[0] === (await newest()), DEADLINE).toBe(true);

  const box = await page.locator("#panel-chart .chart").boundingBox();
  await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);

  await expect.poll(async () => (await legendOf(page))[0] === (await newest()), DEADLINE).toBe(false);
  const bars = await minutesOf(server, "AAPL");
  const values = bars.map((_, at) => `EMA 9 ${formatRoundedPrice(lastValue(ema(9), bars.slice(0, at + 1)))}`);
  expect(values).toContain((await legendOf(page))[0]);
});

test("the average price of the session loads bars until the session's start", async () => {
  const { page } = await open({ market: STILL, query: "?list=AAPL&interval=5" });
  await waitForBars(page);
  await choose(page, "chart", "VWAP");

  // The fake server has four hours of such bars, the page asked for less than one.
  const requested = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/bars?") && name.includes("timeframe=5Sec") && name.includes("symbols=AAPL&")).length);
  await expect.poll(async () => (await legendOf(page))[0], DEADLINE).toMatch(/^VWAP (since \d\d:\d\d )?\d+\.\d\d$/);
  await expect.poll(requested, DEADLINE).toBeGreaterThanOrEqual(2);
});

test("candles, a line and an area are drawn", async () => {
  const { page } = await open({ market: STILL, query: DAYS });
  await waitForBars(page);
  const opaque = [255, 255] as const;
  await expect.poll(() => pixelsOf(page, "--green", opaque), DEADLINE).toBeGreaterThan(100);

  await choose(page, "chart", "Line");
  await expect.poll(() => pixelsOf(page, "--green", opaque), DEADLINE).toBe(0);
  expect(await pixelsOf(page, "--text", opaque)).toBeGreaterThan(100);
  const faint = () => pixelsOf(page, "--text", [5, 40]);
  const before = await faint();
  await choose(page, "chart", "Area");
  await expect.poll(faint, DEADLINE).toBeGreaterThan(before + 1_000);

  await choose(page, "chart", "Candles");
  await expect.poll(() => pixelsOf(page, "--green", opaque), DEADLINE).toBeGreaterThan(100);
});

test("lines of the day have their labels, volume at price its rows, and the relative strength index a pane of its own", async () => {
  const { page } = await open({ market: STILL, query: DAYS });
  await waitForBars(page);
  const labels = () => pixelsOf(page, "--label", [255, 255]);
  const rows = async () => (await pixelsOf(page, "--profile-up", [20, 140])) + (await pixelsOf(page, "--profile-down", [20, 140]));
  const panes = () => page.locator("#panel-chart .chart tr:has(canvas)").count();
  // The volumes of the days before, which come after the first bar.
  await expect.poll(rows, DEADLINE).toBeGreaterThan(5_000);
  const [noLabels, volumes, onePane] = [await labels(), await rows(), await panes()];

  await choose(page, "chart", "High and low of the day");
  await expect.poll(labels, DEADLINE).toBeGreaterThan(noLabels + 300);
  await choose(page, "chart", "Volume at price");
  await expect.poll(rows, DEADLINE).toBeGreaterThan(volumes + 500);
  await choose(page, "chart", "RSI 14");
  await expect.poll(panes, DEADLINE).toBeGreaterThan(onePane);

  await choose(page, "chart", "High and low of the day", "Volume at price", "RSI 14");
  await expect.poll(async () => [await labels(), await panes()], DEADLINE).toEqual([noLabels, onePane]);
  await expect.poll(rows, DEADLINE).toBeLessThan(volumes + 500);
});

test("symbols are compared in per cent, with history and live trades, until they are removed", async () => {
  const { page, server } = await open({ market: STILL, query: MINUTES });
  await waitForBars(page);
  await page.click(button("chart"));
  await page.fill("#compare-chart", "MSFT");
  await page.keyboard.press("Enter");
  await page.fill("#compare-chart", "KO");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.locator(menu("chart")).waitFor({ state: "hidden" });
  await page.mouse.move(0, 0);
  const names = async () => (await legendOf(page)).map((text) => text.split(" ")[0]);
  await expect.poll(names, DEADLINE).toEqual(["AAPL", "MSFT", "KO"]);
  await expect.poll(async () => (await legendOf(page)).every((text) => /^[A-Z]+ [+−]?\d+\.\d\d%$/.test(text)), DEADLINE).toBe(true);
  expect(server.commands).toContainEqual(expect.objectContaining({ action: "subscribe", trades: ["MSFT"] }));

  // One per cent up: the change since the first bar in view grows by as much.
  const changeOf = async () => Number(/[+−]?[\d.]+(?=%)/.exec((await legendOf(page))[1] ?? "")?.[0].replace("−", "-"));
  const [before, last] = [await changeOf(), (await minutesOf(server, "MSFT")).at(-1)?.close ?? 0];
  server.print("AAPL", 228);
  server.print("MSFT", Math.round(last * 101) / 100);
  await expect.poll(async () => (await changeOf()) - before, DEADLINE).toBeGreaterThan(0.9);
  // The first bar in view is another when a minute has begun.
  expect((await changeOf()) - before).toBeLessThan(1.5);
  expect((await legendOf(page))[1]).toBe(`MSFT ${formatPercent((await changeOf()) / 100)}`);

  await page.click(button("chart"));
  await page.click(`${menu("chart")} [aria-label="Stop comparing MSFT"]`);
  await expect.poll(names, DEADLINE).toEqual(["AAPL", "KO"]);
  await page.click(`${menu("chart")} [aria-label="Stop comparing KO"]`);
  await expect.poll(names, DEADLINE).toEqual([]);
  await expect.poll(() => server.commands, DEADLINE).toContainEqual(expect.objectContaining({ action: "unsubscribe", trades: ["MSFT"] }));
});

test("the menu works by keyboard, and three symbols are the most", async () => {
  const { page } = await open({ market: STILL, query: MINUTES });
  await waitForBars(page);
  await page.focus(button("chart"));
  await page.keyboard.press("Enter");
  await page.locator(menu("chart")).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.closest("label, button")?.textContent ?? document.activeElement?.id);
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("Candles");
  await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("Line");
  await page.keyboard.press("Tab");
  await page.keyboard.press(" ");
  await expect.poll(async () => (await legendOf(page))[0], DEADLINE).toMatch(/^EMA 9 \d/);
  while ((await focused()) !== "compare-chart") await page.keyboard.press("Tab");
  for (const symbol of ["MSFT", "KO", "TSLA"]) {
    await page.keyboard.type(symbol);
    await page.keyboard.press("Enter");
  }
  await expect.poll(async () => (await legendOf(page)).length, DEADLINE).toBe(4);
  expect(await page.locator("#compare-chart").isVisible()).toBe(false);
  expect(await focused()).toBe("MSFT ×");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await legendOf(page)).length, DEADLINE).toBe(3);
  expect(await page.locator("#compare-chart").isVisible()).toBe(true);
  await page.keyboard.press("Escape");
  await page.locator(menu("chart")).waitFor({ state: "hidden" });
  expect(await focused()).toBe("Chart");
});

test("each chart keeps its own choice, on a wall without the menu", async () => {
  const { page, server } = await open({ market: STILL, query: MINUTES });
  await waitForBars(page);
  await page.click("#panels-button");
  await page.click("[data-panel=chart-2]");
  await page.keyboard.press("Escape");
  await choose(page, "chart-2", "EMA 21");
  await choose(page, "chart", "EMA 9");
  const legends = async () => Promise.all(["chart", "chart-2"].map(async (panel) => (await legendOf(page, panel)).map((text) => text.split(" ").slice(0, 2).join(" "))));
  await expect.poll(legends, DEADLINE).toEqual([["EMA 9"], ["EMA 21"]]);

  await page.reload();
  await waitUntilLive(page);
  await expect.poll(legends, DEADLINE).toEqual([["EMA 9"], ["EMA 21"]]);
  await page.goto(`http://${server.origin}/${MINUTES}&view=wall`);
  await waitUntilLive(page);
  await expect.poll(legends, DEADLINE).toEqual([["EMA 9"], ["EMA 21"]]);
  expect(await page.locator(button("chart")).isVisible()).toBe(false);
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the open menu has no accessibility violations and is within the window: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page } = await open({ market: STILL, query: MINUTES, context: { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 740 } } });
  await waitForBars(page);
  await page.click(button("chart"));
  await page.fill("#compare-chart", "MSFT");
  await page.keyboard.press("Enter");
  await page.locator(".compared-symbol").waitFor();
  await page.fill("#compare-chart", "co");
  await page.locator("#compare-chart-hits [role=option]").first().waitFor();

  expect(await violationsOf(page)).toEqual([]);
  const { left, right, bottom, scrollWidth, clientWidth } = await page.locator(menu("chart")).evaluate((node) => {
    const { left, right, bottom } = node.getBoundingClientRect();
    return { left, right, bottom, scrollWidth: node.scrollWidth, clientWidth: node.clientWidth };
  });
  expect(left).toBeGreaterThanOrEqual(0);
  expect(right).toBeLessThanOrEqual(width);
  expect(bottom).toBeLessThanOrEqual(740);
  expect(scrollWidth).toBe(clientWidth);
});
