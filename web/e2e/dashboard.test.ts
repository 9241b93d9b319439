import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Server } from "./server";

const ARGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const DEADLINE = { timeout: 20_000, interval: 50 };

let server: Server;
let profile: string;
/** Undefined when it did not start, which is then what the test fails of. */
let browser: BrowserContext | undefined;

beforeAll(async () => {
  server = await Server.onFreePort();
  profile = await mkdtemp(join(tmpdir(), "tapecast-browser-"));
  await server.start();
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium",
    args: ARGS.split(" "),
    viewport: { width: 1280, height: 800 },
  });
});

afterAll(async () => {
  await browser?.close();
  await server.kill();
  await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

async function openPage(): Promise<Page> {
  if (browser === undefined) throw new Error("there is no browser");
  return browser.newPage();
}

/** What went over the page's edge, for the end of the test. */
function watch(page: Page) {
  const seen = { hosts: new Set<string>(), loads: 0, complaints: [] as string[] };
  page.on("request", (request) => seen.hosts.add(new URL(request.url()).host));
  page.on("load", () => (seen.loads += 1));
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("console", (message) => {
    // That the server cannot be reached while it is dead is the browser's to say.
    if (!message.text().startsWith("WebSocket connection to")) seen.complaints.push(message.text());
  });
  return seen;
}

const state = (page: Page) => page.locator("#connection-state").textContent();

/** Waits until a symbol's last price has been seen to change. */
async function seesPriceMove(page: Page, symbol: string): Promise<void> {
  const last = page.locator(`tr[data-symbol="${symbol}"] td.c-last`);
  await expect.poll(() => last.textContent(), DEADLINE).toMatch(/^[\d,]+\.\d\d$/);
  const before = await last.textContent();
  await expect.poll(() => last.textContent(), DEADLINE).not.toBe(before);
}

test("the dashboard shows a moving market, takes another symbol, and survives the server's death", async () => {
  const page = await openPage();
  const seen = watch(page);
  await page.goto(server.origin);
  await expect.poll(() => state(page), DEADLINE).toBe("OPEN");
  await seesPriceMove(page, "AAPL");
  await expect.poll(() => page.locator("#chart-empty").isHidden(), DEADLINE).toBe(true);

  await page.keyboard.press("/");
  await page.keyboard.type("KO");
  await page.locator("#search-hits [role=option]", { hasText: "KO" }).first().waitFor();
  await page.keyboard.press("Enter");
  await seesPriceMove(page, "KO");
  expect(await page.locator("#headline-symbol").textContent()).toBe("KO");

  await server.kill();
  await expect.poll(() => state(page), DEADLINE).toBe("CLOSED");
  await expect.poll(() => page.locator("#connection-why").textContent(), DEADLINE).toMatch(/again in \d+ s$/);

  await server.start();
  await expect.poll(() => state(page), DEADLINE).toBe("OPEN");
  await seesPriceMove(page, "AAPL");
  await seesPriceMove(page, "KO");

  expect(await page.locator("#meter-gaps").textContent()).toBe("0");
  expect([...seen.hosts]).toEqual([new URL(server.origin).host]);
  expect(seen.loads).toBe(1);
  expect(seen.complaints).toEqual([]);

  await page.reload();
  await expect.poll(() => page.locator("tr[data-symbol]").count(), DEADLINE).toBe(9);
});
