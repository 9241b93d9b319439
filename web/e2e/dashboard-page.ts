import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { FakeServer, type FakeOptions } from "../fake/server";
import { Browser, TIMEOUT_MS, recordPage, type ContextOptions, type PageLog } from "./browser";

export const DEADLINE = { timeout: TIMEOUT_MS, interval: 50 };

/** A market that moves by itself. */
const BUSY: FakeOptions = { stepMs: 10, dist: "dist" };

/** A market that only moves on command. */
export const STILL: FakeOptions = { stepMs: 0, dist: "dist" };

/** The dashboard in a browser context of its own with a fake server of its own. Both end with the test. */
export interface DashboardPage {
  readonly page: Page;
  readonly server: FakeServer;
  readonly log: PageLog;
}

export interface Opening {
  readonly market?: FakeOptions;
  /** The query of the URL, with its question mark. */
  readonly query?: string;
  readonly context?: ContextOptions;
}

/** To be called at the top of a test file. Returns a function that opens a dashboard. */
export function dashboards(): (opening?: Opening) => Promise<DashboardPage> {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterAll(async () => {
    await browser.stop();
  });
  return async ({ market = BUSY, query = "", context = {} } = {}) => {
    const server = new FakeServer(market);
    await server.start();
    const page = await browser.page(context);
    onTestFinished(async () => {
      await page.context().close();
      await server.kill();
    });
    const log = await recordPage(page);
    await page.goto(`http://${server.origin}/${query}`);
    await waitUntilLive(page);
    return { page, server, log };
  };
}

export const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
/** The state of the page's WebSocket, by its name in the standard. */
export const readyState = (page: Page) => page.locator("#connection-state").getAttribute("data-state");
export const selected = (page: Page) => text(page, ".headline-symbol");
export const rowOf = (symbol: string) => `.ag-row[row-id="${symbol}"]`;
export const lastOf = (symbol: string) => `${rowOf(symbol)} .c-last`;
export const rows = (page: Page) => page.locator(".ag-row").count();

/** The symbols of the watchlist from top to bottom. */
export const symbolsOf = (page: Page) =>
  page.locator(".ag-row").evaluateAll((nodes) =>
    nodes
      .sort((a, b) => Number(a.getAttribute("row-index")) - Number(b.getAttribute("row-index")))
      .map((node) => node.getAttribute("row-id")),
  );

/** A count that the page displays. */
export const count = async (page: Page, id: string) => Number((await text(page, `#${id}`))?.replaceAll(",", ""));

/** Waits until the dashboard is connected and its first row has a price. */
export async function waitUntilLive(page: Page): Promise<void> {
  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  await expect.poll(() => text(page, ".ag-row[row-index='0'] .c-last"), DEADLINE).toMatch(/^[\d,]+\.\d\d(\d\d)?$/);
}

/** Waits until more than this number of further frames have been received and counted. */
export async function waitForFrames(page: Page, frames: number): Promise<void> {
  const before = await count(page, "count-frames");
  await expect.poll(() => count(page, "count-frames"), DEADLINE).toBeGreaterThan(before + frames);
}

/** Presses the pause button at the moment at which a cell gets this text. */
export async function pauseAt(page: Page, selector: string, wanted: string): Promise<void> {
  const cell = page.locator(selector).first();
  await cell.evaluate((element, wanted) => {
    new MutationObserver((_, observer) => {
      if (element.textContent !== wanted) return;
      observer.disconnect();
      document.getElementById("pause")?.click();
    }).observe(element, { childList: true, characterData: true, subtree: true });
  }, wanted);
}
