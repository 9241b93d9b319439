import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { FakeServer, type FakeOptions } from "../fake/server";
import { Browser, PATIENCE_MS, watch, type ContextOptions, type Seen } from "./browser";

export const DEADLINE = { timeout: PATIENCE_MS, interval: 50 };

/** A market that moves by itself, about as often as a person could follow. */
const LIVELY: FakeOptions = { stepMs: 10, dist: "dist" };

/** A market that moves only when it is told to. */
export const STILL: FakeOptions = { stepMs: 0, dist: "dist" };

/** The board in a browser of its own, before a fake server of its own; both are gone when the test is over. */
export interface Board {
  readonly page: Page;
  readonly server: FakeServer;
  readonly seen: Seen;
}

export interface Opening {
  readonly market?: FakeOptions;
  /** With its question mark. */
  readonly query?: string;
  readonly context?: ContextOptions;
}

/** To be called at the top of a test file; what it answers opens the board. */
export function boards(): (opening?: Opening) => Promise<Board> {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterAll(async () => {
    await browser.stop();
  });
  return async ({ market = LIVELY, query = "", context = {} } = {}) => {
    const server = new FakeServer(market);
    await server.start();
    const page = await browser.page(context);
    onTestFinished(async () => {
      await page.context().close();
      await server.kill();
    });
    const seen = await watch(page);
    await page.goto(`http://${server.origin}/${query}`);
    await isLive(page);
    return { page, server, seen };
  };
}

export const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
export const selected = (page: Page) => text(page, "#headline-symbol");
export const rowOf = (symbol: string) => `.ag-row[row-id="${symbol}"]`;
export const lastOf = (symbol: string) => `${rowOf(symbol)} .c-last`;
export const rows = (page: Page) => page.locator(".ag-row").count();

/** A count as the page writes it. */
export const count = async (page: Page, id: string) => Number((await text(page, `#${id}`))?.replaceAll(",", ""));

/** Waits until the board is connected and has a price for its first row. */
export async function isLive(page: Page): Promise<void> {
  await expect.poll(() => text(page, "#connection-state"), DEADLINE).toBe("OPEN");
  await expect.poll(() => text(page, ".ag-row[row-index='0'] .c-last"), DEADLINE).toMatch(/^[\d,]+\.\d\d(\d\d)?$/);
}

/** Waits until so many more frames have come: whatever was to happen with them has happened. */
export async function framesPass(page: Page, frames: number): Promise<void> {
  const before = await count(page, "count-frames");
  await expect.poll(() => count(page, "count-frames"), DEADLINE).toBeGreaterThan(before + frames);
}

/** Presses the pause button in the moment in which a cell gets such a text. */
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
