import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { WebSocket } from "ws";
import { symbol } from "../fake/builders";
import { Client, HistoryClient, runtimeOf, type ClientEvents } from "@tapecast/client";
import { count, DEADLINE, readyState, waitForFrames, text } from "./dashboard-page";
import { recordPage } from "./browser";
import { realForFile } from "./real";

/** The dashboard and the client in front of the real server. */

const real = realForFile();

/** Waits until a symbol's last price changes. */
async function waitForPriceChange(page: Page, name: string): Promise<void> {
  const last = `.ag-row[row-id="${name}"] .c-last`;
  await expect.poll(() => text(page, last), DEADLINE).toMatch(/^[\d,]+\.\d\d$/);
  const before = await text(page, last);
  await expect.poll(() => text(page, last), DEADLINE).not.toBe(before);
}

test("the dashboard shows a moving market, adds a symbol and survives a killed server", async () => {
  const page = await real.browser.page();
  const log = await recordPage(page);
  // A short list, so that all rows are rendered.
  await page.goto(`${real.server.origin}/?list=AAPL,MSFT`);
  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  await waitForPriceChange(page, "AAPL");
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/\d/);

  await page.keyboard.press("/");
  await page.keyboard.type("KO");
  await page.locator("#search-hits [role=option]", { hasText: "KO" }).first().waitFor();
  await page.keyboard.press("Enter");
  await waitForPriceChange(page, "KO");
  await expect.poll(() => text(page, ".headline-symbol"), DEADLINE).toBe("KO");

  await real.server.kill();
  await expect.poll(() => readyState(page), DEADLINE).toBe("CLOSED");
  await expect.poll(() => text(page, "#connection-reason"), DEADLINE).toMatch(/retrying in \d+ s$/);

  await real.server.start();
  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  await waitForPriceChange(page, "AAPL");
  await waitForPriceChange(page, "KO");
  await expect.poll(() => page.locator('.sales-row[data-side="gap"]:visible').count(), DEADLINE).toBe(0);

  expect([...log.hosts]).toEqual([new URL(real.server.origin).host]);
  expect(log.loads).toBe(1);
  expect(log.errors).toEqual([]);

  await page.reload();
  await expect.poll(() => page.locator('.ag-row[row-id="KO"]').count(), DEADLINE).toBe(1);
  await page.context().close();
});

test("an alert that is set by the keyboard fires, is listed and marked, and one that did not stays over a reload", async () => {
  const page = await real.browser.page();
  const log = await recordPage(page);
  await page.goto(`${real.server.origin}/?list=AAPL,MSFT`);
  await waitForPriceChange(page, "AAPL");
  const level = ".alert-form input[type=text]";
  const mark = () => page.locator('.ag-row[row-id="AAPL"] .symbol-cell').getAttribute("data-alert");
  const texts = (list: number) => page.locator(".alert-list").nth(list).locator(".alert-text").allTextContents();
  const set = async (kind: number, price: number) => {
    await page.selectOption(".alert-form select", String(kind));
    await page.fill(level, price.toFixed(2));
    await page.press(level, "Enter");
  };

  await page.keyboard.press("a");
  await expect.poll(() => page.inputValue(level), DEADLINE).toMatch(/^\d+\.\d\d$/);
  const price = Number(await page.inputValue(level));
  // One far away, and one on each side, of which the price reaches at least one.
  await set(0, price * 5);
  await expect.poll(mark, DEADLINE).toBe("set");
  await expect.poll(() => texts(0), DEADLINE).toEqual([`Price ≥ ${(price * 5).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("a");
  await set(0, price + 0.02);
  await set(1, price - 0.02);
  await page.keyboard.press("Escape");
  await expect.poll(mark, DEADLINE).toBe("fired");
  await expect.poll(() => page.title(), DEADLINE).toMatch(/^🔔[12] /);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toMatch(/^AAPL at [\d,.]+\. Alert: Price [≥≤] [\d,.]+$/);

  await page.click("#notice-action");
  await expect.poll(async () => (await texts(1))[0] ?? "", DEADLINE).toMatch(/^[\d,.]+ at \d\d:\d\d:\d\dPrice [≥≤] /);
  await page.reload();
  await expect.poll(mark, DEADLINE).toMatch(/^(set|fired)$/);
  await page.keyboard.press("a");
  const far = page.locator(".alert-item[data-status=active]", { hasText: "Price ≥" });
  await expect.poll(() => far.count(), DEADLINE).toBeGreaterThan(0);
  expect((await texts(1)).length).toBeGreaterThan(0);
  expect(log.errors).toEqual([]);
  await page.context().close();
});

test("twenty restarts of the server are no missed data", { timeout: 900_000 }, async () => {
  const page = await real.browser.open(`${real.server.origin}/?list=AAPL,MSFT`);
  await waitForPriceChange(page, "AAPL");

  for (let restart = 1; restart <= 20; restart += 1) {
    await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
    await real.server.kill();
    await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("true");
    await real.server.start();
    await expect.poll(() => count(page, "count-connections"), DEADLINE).toBe(restart + 1);
    await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("false");
    await waitForFrames(page, 3);
    expect([restart, await text(page, "#count-missed"), await text(page, "#meter-gaps")]).toEqual([restart, "0", "0"]);
  }

  expect(await page.locator('.sales-row[data-side="gap"]:visible').count()).toBe(0);
  await page.context().close();
});

test("at every refresh interval no gap is counted", async () => {
  const page = await real.browser.open(real.server.origin);
  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  for (const place of ["6", "0", "2"]) {
    await page.locator("#refresh").fill(place);
    await waitForFrames(page, 3);
  }

  await expect.poll(() => count(page, "count-conflated"), DEADLINE).toBeGreaterThan(0);
  expect(await count(page, "meter-gaps")).toBe(0);
  await expect.poll(() => text(page, "#meter-round-trip"), DEADLINE).toMatch(/ms|s/);
  await page.context().close();
});

test("the client alone gets a snapshot, conflation and ordered historical bars", async () => {
  const aapl = symbol("AAPL");
  const runtime = runtimeOf({ ...globalThis, Date, Math, WebSocket });
  const client = new Client(runtime, { url: `${real.server.origin.replace("http", "ws")}/v2/iex`, conflateMs: 100 });
  const acknowledged: ClientEvents["acknowledged"][] = [];
  const events: ClientEvents["market"]["events"][number][] = [];
  client.on("acknowledged", (acknowledgement) => acknowledged.push(acknowledgement));
  client.on("market", (frame) => events.push(...frame.events));
  client.subscribe({ tickers: [aapl], trades: [aapl] });
  client.connect();

  await expect.poll(() => events.filter(({ channel }) => channel === "trades").length, DEADLINE).toBeGreaterThan(5);
  expect(acknowledged[0]).toMatchObject({ conflateMs: 100, rejected: [] });
  expect(events.find(({ channel }) => channel === "tickers")?.origin).toBe("snapshot");

  const history = new HistoryClient(async (path) => (await fetch(real.server.origin + path)).json() as unknown);
  const bars = await history.barsBefore(aapl, "1Sec", runtime.now(), 60);
  const times = bars?.map(({ time }) => time) ?? [];
  expect(times.length).toBeGreaterThan(10);
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  expect((await history.trades(aapl, events[0]?.time ?? runtime.now(), runtime.now()))?.length).toBeGreaterThan(0);
  expect(client.counters.gaps).toBe(0);
  client.close();
});
