import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { FakeServer } from "../fake/server";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, rowOf, selected, STILL, text } from "./dashboard-page";

/** Time and sales by size and by condition. */

const open = dashboards();

const SHARED = { market: STILL, query: "?list=AAPL,KO" } as const;

const FILTER = "[aria-controls=sales-filter]";
const ROWS = "#sales-rows .sales-row:not([hidden])";

/** The sizes of the rows from top to bottom. */
const sizes = (page: Page) =>
  page.locator(ROWS).evaluateAll((rows) => {
    const topOf = (row: Element) => row.getBoundingClientRect().top;
    return rows.sort((a, b) => topOf(a) - topOf(b)).map((row) => row.lastElementChild?.textContent ?? "");
  });

async function print(server: FakeServer, ...wanted: readonly number[]): Promise<void> {
  for (const size of wanted) server.print("AAPL", 228, size);
  await Promise.resolve();
}

test("odd lots are dimmed, and their condition is explained", async () => {
  const { page, server } = await open(SHARED);
  await print(server, 300, 5);
  await expect.poll(() => sizes(page), DEADLINE).toEqual(["5", "300"]);

  const row = (lot: string) => page.locator(`${ROWS}[data-lot=${lot}]`);
  expect(await row("odd").getAttribute("title")).toBe("I: odd lot");
  expect((await row("round").getAttribute("title")) ?? "").toBe("");
  const weight = (lot: string) => row(lot).locator(".sales-price").evaluate((node) => Number(getComputedStyle(node).fontWeight));
  expect(await weight("odd")).toBeLessThan(await weight("round"));

  server.printLate("AAPL", 227, 20);
  await expect.poll(() => page.locator(`${ROWS}[data-mark=late]`).getAttribute("title"), DEADLINE).toMatch(/^Reported late/);
});

test("small trades are hidden by size and by condition, and come back", async () => {
  const { page, server } = await open(SHARED);
  await print(server, 300, 5, 600, 50, 100);
  await expect.poll(() => sizes(page), DEADLINE).toEqual(["100", "50", "600", "5", "300"]);

  await page.click(FILTER);
  await page.selectOption("#sales-filter select", "500");
  await expect.poll(() => sizes(page), DEADLINE).toEqual(["600"]);
  expect(await page.getAttribute(FILTER, "data-active")).toBe("true");
  await page.selectOption("#sales-filter select", "0");
  await page.locator("#sales-filter label", { hasText: "Odd lots" }).click();
  await expect.poll(() => sizes(page), DEADLINE).toEqual(["100", "600", "300"]);

  server.printLate("AAPL", 227, 20);
  server.print("AAPL", 228, 700);
  await expect.poll(async () => (await sizes(page)).slice(0, 2), DEADLINE).toEqual(["700", "6"]);
  await page.locator("#sales-filter label", { hasText: "Late" }).click();
  await expect.poll(async () => (await sizes(page)).slice(0, 2), DEADLINE).toEqual(["700", "100"]);

  // Another symbol has the same filter.
  await page.click(rowOf("KO"));
  await expect.poll(() => selected(page), DEADLINE).toBe("KO");
  server.print("KO", 62, 20);
  server.print("KO", 62, 200);
  await expect.poll(() => sizes(page), DEADLINE).toEqual(["200"]);
  await page.focus("#sales-filter select");
  await page.keyboard.press("Escape");
  expect(await page.locator("#sales-filter").isHidden()).toBe(true);
  expect(await page.locator(FILTER).evaluate((node) => node === document.activeElement)).toBe(true);
});

test("only trades that pass are counted as new, and the count leads to the newest without a pause", async () => {
  const { page, server } = await open(SHARED);
  for (let at = 0; at < 60; at += 1) server.print("AAPL", 228, 200 + at);
  await expect.poll(async () => (await sizes(page))[0], DEADLINE).toBe("259");
  await page.click(FILTER);
  await page.selectOption("#sales-filter select", "100");
  await page.locator("#sales-scroll").evaluate((box) => { box.scrollTop = 400; });
  await expect.poll(async () => (await sizes(page))[0], DEADLINE).not.toBe("259");

  await print(server, 10, 500, 20, 30);
  await expect.poll(() => text(page, "#sales-pause-text"), DEADLINE).toBe("1 new");
  await page.click("#sales-pause");
  await expect.poll(async () => (await sizes(page)).slice(0, 2), DEADLINE).toEqual(["500", "259"]);
  expect(await page.getAttribute("#sales-pause", "aria-pressed")).toBe("false");
  expect(await text(page, "#sales-pause-text")).toBe("Pause");
  await print(server, 600);
  await expect.poll(async () => (await sizes(page))[0], DEADLINE).toBe("600");
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the filter and its rows have no accessibility violations: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, server } = await open({ ...SHARED, context: { colorScheme, locale, viewport: { width, height: 800 } } });
  // Above and below the quote, so that both sides are there.
  for (const price of [229, 227, 230, 226]) server.print("AAPL", price, 5);
  server.print("AAPL", 228, 500);
  await expect.poll(async () => (await sizes(page)).length, DEADLINE).toBe(5);
  await page.click(FILTER);
  await page.keyboard.press("Tab");
  await page.click("#pause");

  expect(await violationsOf(page)).toEqual([]);
});
