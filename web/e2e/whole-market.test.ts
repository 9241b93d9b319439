import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, lastOf, rowOf, selected, STILL, symbolsOf, text } from "./dashboard-page";

/** The heat map and the movers: the whole market, while one of them is open. */

const open = dashboards();

const SHARED = { market: STILL, query: "?list=AAPL,KO" } as const;

const button = (id: string) => `[aria-controls=panel-${id}]`;
const tile = (symbol: string) => `.heat-tiles .tile[data-symbol="${symbol}"]`;
const row = (symbol: string) => `.movers-list .mover[data-symbol="${symbol}"]`;

/** Opens a panel and waits for its first figures. */
async function openPanel(page: Page, id: "heat-map" | "movers"): Promise<void> {
  await page.click(button(id));
  await page.locator(id === "movers" ? ".movers-list .mover" : ".heat-tiles .tile").first().waitFor();
}

const symbols = (page: Page) => page.locator(".movers-list .mover").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset["symbol"]));

test("the whole market is subscribed to while a panel is open, at its own pace, on a connection of its own", async () => {
  const { page, server } = await open(SHARED);
  const ofAll = () => server.commands.filter(({ tickers }) => Array.isArray(tickers) && tickers.includes("*"));
  expect(server.sessionCount).toBe(1);
  expect(ofAll()).toEqual([]);

  await openPanel(page, "heat-map");
  expect(server.sessionCount).toBe(2);
  expect(ofAll()).toMatchObject([{ action: "subscribe", tickers: ["*"], statuses: ["*"], x: { conflate_ms: 2_000, snapshot: true } }]);
  // The watchlist keeps the pace of the user.
  server.print("AAPL", 228.5);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.50");
  expect(server.commands.flatMap(({ x }) => (x as { conflate_ms?: number } | undefined)?.conflate_ms ?? [])).toEqual([250, 2_000]);

  // The other panel takes the connection over.
  await openPanel(page, "movers");
  expect(server.sessionCount).toBe(2);
  expect(ofAll()).toHaveLength(1);

  await page.keyboard.press("Escape");
  await expect.poll(() => server.sessionCount, DEADLINE).toBe(1);
  await openPanel(page, "movers");
  expect(server.sessionCount).toBe(2);
});

test("a tile shows the change of its symbol and selects it by a click, without adding it to the list", async () => {
  const { page, server } = await open(SHARED);
  await openPanel(page, "heat-map");
  server.print("XOM", 140);
  await expect.poll(() => page.getAttribute(tile("XOM"), "data-heat"), DEADLINE).toBe("4");
  expect(await text(page, tile("XOM"))).toMatch(/^XOM \+1\d\.\d\d% Exxon Mobil Corporation$/);

  await page.click(tile("XOM"));
  await expect.poll(() => selected(page), DEADLINE).toBe("XOM");
  await expect.poll(() => text(page, ".headline-last"), DEADLINE).toBe("140.00");
  expect(await page.getAttribute(tile("XOM"), "aria-current")).toBe("true");
  expect(await symbolsOf(page)).toEqual(["AAPL", "KO"]);
  expect(await page.locator(".ag-row-selected").count()).toBe(0);

  // Live prices too, from the page's own connection.
  server.print("XOM", 141);
  await expect.poll(() => text(page, ".headline-last"), DEADLINE).toBe("141.00");
  await page.click("#notice-action");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "KO", "XOM"]);
  await expect.poll(() => page.locator(`${rowOf("XOM")}.ag-row-selected`).count(), DEADLINE).toBeGreaterThan(0);
});

test("the heat map is one stop of the Tab key, and arrow keys lead through it", async () => {
  const { page } = await open(SHARED);
  await openPanel(page, "heat-map");
  await expect.poll(() => page.locator(".heat-tiles .tile[tabindex='0']").count(), DEADLINE).toBe(1);
  await page.focus(".heat-tiles .tile[tabindex='0']");
  const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset["symbol"]);
  const places = () => page.evaluate(() => {
    const { left, top } = document.activeElement?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { left, top };
  });

  const [first, from] = [await focused(), await places()];
  await page.keyboard.press("ArrowRight");
  expect((await places()).left).toBeGreaterThan(from.left);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("End");
  const last = await focused();
  expect(last).not.toBe(first);
  await page.keyboard.press("Enter");
  await expect.poll(() => selected(page), DEADLINE).toBe(last);
  expect(await text(page, ".heat-detail")).toContain(`${last ?? ""} · `);
  await page.keyboard.press("Home");
  expect(await focused()).toBe(first);
  // The page's own keys still work, and the arrows do not move the watchlist's selection.
  expect(await page.locator(".heat-tiles .tile[tabindex='0']").count()).toBe(1);
  await page.keyboard.press("Escape");
  expect(await page.locator(button("heat-map")).evaluate((node) => node === document.activeElement)).toBe(true);
});

test.each([
  [1440, 900],
  [390, 844],
  [3840, 2160],
])("at %d × %d pixels the tiles fill the map and no label is cut", async (width, height) => {
  const { page } = await open({ ...SHARED, context: { viewport: { width, height } } });
  await openPanel(page, "heat-map");

  const state = () => page.evaluate(() => {
    const map = document.querySelector(".heat-tiles")?.getBoundingClientRect() ?? new DOMRect();
    const tiles = [...document.querySelectorAll<HTMLElement>(".heat-tiles .tile")];
    const boxes = tiles.map((node) => node.getBoundingClientRect());
    const cut = tiles.filter((node) => [...node.querySelectorAll(":scope > :not(.visually-hidden)")].some((line) => {
      const [outer, inner] = [node.getBoundingClientRect(), line.getBoundingClientRect()];
      return inner.width > 0 && (inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom);
    }));
    const labelled = tiles.filter((node) => node.querySelector(":scope > :not(.visually-hidden)") !== null);
    const area = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
    return {
      covered: Math.round((area / (map.width * map.height)) * 100),
      cut: cut.map((node) => node.textContent),
      smallest: Math.min(...boxes.map((box) => box.width * box.height)) >= 450,
      hasLabels: labelled.length > tiles.length / 3,
    };
  });
  await expect.poll(state, DEADLINE).toEqual({ covered: 100, cut: [], smallest: true, hasLabels: true });
});

test("on a phone a tap on a tile makes way for the chart", async () => {
  const { page } = await open({ ...SHARED, context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } });
  await openPanel(page, "heat-map");
  const inView = await page.locator("#side-buttons button").evaluateAll((buttons) => buttons.every((button) => button.getBoundingClientRect().right <= innerWidth));
  expect(inView).toBe(true);

  await page.locator(tile("META")).tap();
  await expect.poll(() => selected(page), DEADLINE).toBe("META");
  expect(await page.locator(".heat-panel").isVisible()).toBe(false);
  const seen = () => page.locator(".chart-panel").evaluate((panel) => panel.getBoundingClientRect().top >= -1);
  await expect.poll(seen, DEADLINE).toBe(true);
});

test("the lists of movers are ranked, and a row selects its symbol by Enter", async () => {
  const { page, server } = await open(SHARED);
  server.print("XOM", 150);
  server.print("INTC", 15);
  server.setTrading("TSLA", "halted");
  await openPanel(page, "movers");
  await expect.poll(async () => (await symbols(page))[0], DEADLINE).toBe("XOM");

  await page.locator(".movers-choice label", { hasText: "Losers" }).click();
  await expect.poll(async () => (await symbols(page))[0], DEADLINE).toBe("INTC");
  await page.locator(".movers-choice label", { hasText: "Most active" }).click();
  // All have the same volume: the dearest has the highest traded value.
  await expect.poll(async () => (await symbols(page))[0], DEADLINE).toBe("EDGE3");
  await page.locator(".movers-choice label", { hasText: "Halted" }).click();
  await expect.poll(() => symbols(page), DEADLINE).toEqual(["TSLA"]);
  expect(await text(page, `${row("TSLA")} .mover-name`)).toContain("News Pending");

  await page.focus(row("TSLA"));
  await page.keyboard.press("Enter");
  await expect.poll(() => selected(page), DEADLINE).toBe("TSLA");
  server.setTrading("TSLA", "open");
  await expect.poll(() => text(page, ".movers-empty"), DEADLINE).toBe("No symbol is halted");
});

test("a list with the focus keeps its order, and follows the ranks again afterwards", async () => {
  const { page, server } = await open(SHARED);
  server.print("XOM", 150);
  server.print("KO", 80);
  await openPanel(page, "movers");
  await expect.poll(async () => (await symbols(page)).slice(0, 2), DEADLINE).toEqual(["KO", "XOM"]);
  await page.focus(row("KO"));

  server.print("XOM", 190);
  await expect.poll(() => text(page, `${row("XOM")} .figure`), DEADLINE).toBe("190.00");
  expect((await symbols(page)).slice(0, 2)).toEqual(["KO", "XOM"]);
  await page.keyboard.press("ArrowDown");
  expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset["symbol"])).toBe("XOM");

  await page.locator(".movers-choice input:checked").focus();
  server.print("XOM", 191);
  await expect.poll(async () => (await symbols(page)).slice(0, 2), DEADLINE).toEqual(["XOM", "KO"]);
});

test.each(["heat-map", "movers"] as const)("a silent server makes the %s grey, and says since when", async (id) => {
  const { page, server } = await open(SHARED);
  await openPanel(page, id);
  const [panel, status, figure] = id === "movers" ? [".movers-panel", ".movers-status", ".movers-list .figure"] : [".heat-panel", ".heat-detail", ".heat-tiles .tile"];
  expect(await page.getAttribute(panel, "data-stale")).toBe("false");
  const grey = await page.evaluate(() => getComputedStyle(document.querySelector(".c-name") ?? document.body).color);

  server.freeze();
  await expect.poll(() => page.getAttribute(panel, "data-stale"), DEADLINE).toBe("true");
  await expect.poll(() => text(page, status), DEADLINE).toMatch(/^prices of \d\d:\d\d:\d\d, \d+ s ago$/);
  expect(await page.locator(figure).evaluateAll((nodes) => [...new Set(nodes.map((node) => getComputedStyle(node).color))])).toEqual([grey]);
  server.thaw();
  server.dropAll();
  await expect.poll(() => page.getAttribute(panel, "data-stale"), DEADLINE).toBe("false");
});

test("a paused page keeps the heat map of that moment", async () => {
  const { page, server } = await open(SHARED);
  await openPanel(page, "heat-map");
  const before = await page.getAttribute(tile("XOM"), "data-heat");
  await page.click("#pause");
  server.print("XOM", 150);
  // A second report proves that the first one was not drawn.
  await expect.poll(() => text(page, "#connection-freshness"), DEADLINE).toMatch(/ [4-9] s ago$/);
  expect(await page.getAttribute(tile("XOM"), "data-heat")).toBe(before);

  await page.click("#pause");
  await expect.poll(() => page.getAttribute(tile("XOM"), "data-heat"), DEADLINE).toBe("4");
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "en-US", 1280],
  ["dark", "zh-CN", 360],
  ["light", "zh-CN", 360],
] as const)("the panels of the whole market have no accessibility violations: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, server } = await open({ ...SHARED, context: { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 800 } } });
  for (const [at, symbol] of ["XOM", "INTC", "JPM", "META", "TSLA", "AMZN", "GOOGL", "NVDA"].entries()) {
    const opened = [120.3, 24.4, 243.1, 561.1, 352.6, 201.7, 171.2, 134.8][at] ?? 100;
    server.print(symbol, Math.round(opened * (0.94 + at * 0.017) * 100) / 100);
  }
  server.setTrading("MSFT", "halted");
  for (const id of ["heat-map", "movers"] as const) {
    await openPanel(page, id);
    expect(await violationsOf(page)).toEqual([]);
    if (id === "movers") {
      await page.locator(".movers-choice label").nth(3).click();
      await page.locator(row("MSFT")).waitFor();
      expect(await violationsOf(page)).toEqual([]);
    }
    await page.keyboard.press("Escape");
  }
});

test("in forced colours rising and falling tiles differ in shape", async () => {
  const { page, server } = await open({ ...SHARED, context: { forcedColors: "active" } });
  server.print("XOM", 150);
  server.print("META", 500);
  await openPanel(page, "heat-map");

  const frames = () => Promise.all(["XOM", "META"].map((symbol) => page.locator(tile(symbol)).evaluate((node) => getComputedStyle(node).borderTopStyle)));
  await expect.poll(frames, DEADLINE).toEqual(["solid", "dashed"]);
});
