import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { violationsOf } from "./axe";
import { DEADLINE, waitUntilLive, text } from "./dashboard-page";
import { Browser } from "./browser";
import { binary, Server } from "./server";

/** The dashboard in front of a server that requires a key. */

const folder = mkdtempSync(join(tmpdir(), "tapecast-keys-"));
let secret: string;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  const made = spawnSync(binary(), ["key", "new", "desk"], { encoding: "utf8" });
  secret = /secret: (\S+)/.exec(made.stderr)?.[1] ?? "";
  const file = join(folder, "keys.jsonl");
  writeFileSync(file, made.stdout);
  server = await Server.onFreePort("--keys", file);
  await server.start();
  browser = await Browser.start();
});

afterAll(async () => {
  await browser.stop();
  await server.kill();
  rmSync(folder, { recursive: true });
});

const message = (page: Page) => text(page, "#login-message");

async function logIn(page: Page, id: string, shown: string): Promise<void> {
  await page.locator("#login-id").fill(id);
  await page.locator("#login-secret").fill(shown);
  await page.keyboard.press("Enter");
}

test("a server that requires a key gets it from the login form, and only the tab stores it", async () => {
  const page = await browser.open(server.origin);
  await page.locator("#login").waitFor();
  await expect.poll(() => message(page), DEADLINE).toContain("requires a key");
  await expect.poll(() => page.evaluate(() => document.activeElement?.id), DEADLINE).toBe("login-id");

  await logIn(page, "desk", "not it");
  await expect.poll(() => message(page), DEADLINE).toContain("Invalid key or secret");
  await expect.poll(() => page.locator("#login-secret").getAttribute("aria-invalid"), DEADLINE).toBe("true");

  await logIn(page, "desk", secret);
  await page.locator("#login").waitFor({ state: "hidden" });
  await waitUntilLive(page);
  await expect.poll(() => text(page, ".headline-name"), DEADLINE).toMatch(/\w/);
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#notice").isHidden(), DEADLINE).toBe(true);

  await page.reload();
  await waitUntilLive(page);
  expect(await page.locator("#login").isHidden()).toBe(true);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(secret);

  const other = await page.context().newPage();
  await other.goto(server.origin);
  await other.locator("#login").waitFor();
  await page.context().close();
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the login form has no accessibility violations: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const page = await browser.open(server.origin, { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 800 } });
  await page.locator("#login").waitFor();
  expect(await violationsOf(page)).toEqual([]);

  await logIn(page, "desk", "not it");
  await expect.poll(() => page.locator("#login-secret").getAttribute("aria-invalid"), DEADLINE).toBe("true");
  expect(await violationsOf(page)).toEqual([]);
  await page.context().close();
});
