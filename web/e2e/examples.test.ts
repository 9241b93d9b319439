import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Browser, recordPage, TIMEOUT_MS, type PageLog } from "./browser";
import { Server } from "./server";
import { serveFolder, type StaticSite } from "./static-site";

const DEADLINE = { timeout: TIMEOUT_MS, interval: 50 };

/** What `examples/chart.html` loads from a content delivery network. */
const CHARTS = "lightweight-charts.standalone.production.mjs";

let browser: Browser;
/** The folder of examples, with the address of the test's server in place of the usual one. */
let site: StaticSite;
let server: Server;

beforeAll(async () => {
  server = await Server.onFreePort();
  site = await serveFolder(resolve("../examples"), (text) => text.replaceAll("http://127.0.0.1:8080", server.origin));
  server.permit(site.origin);
  await server.start();
  browser = await Browser.start();
});

afterAll(async () => {
  await browser.stop();
  await server.kill();
  await site.stop();
});

/** Opens an example. */
async function open(origin: string, name: string): Promise<{ readonly page: Page; readonly log: PageLog }> {
  const page = await browser.page();
  const log = await recordPage(page);
  await page.route(`https://**/${CHARTS}`, (route) =>
    route.fulfill({ contentType: "text/javascript", headers: { "access-control-allow-origin": "*" }, body: readFileSync(`node_modules/lightweight-charts/dist/${CHARTS}`) }),
  );
  await page.goto(`${origin}/${name}`);
  return { page, log };
}

test("a page without a build shows five live prices", async () => {
  const { page, log } = await open(site.origin, "watchlist.html");
  const prices = () => page.locator("td").allInnerTexts();

  await expect.poll(prices, DEADLINE).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^\d+\.\d\d$/) as string));
  const first = await prices();
  await expect.poll(prices, DEADLINE).not.toEqual(first);
  expect([await page.textContent("#phase"), await page.textContent("#error"), log.errors]).toEqual(["live", "", []]);
});

test("the chart shows the history and the current price", async () => {
  const { page, log } = await open(site.origin, "chart.html");

  await expect.poll(() => page.textContent("#last"), DEADLINE).toMatch(/^\d+\.\d\d$/);
  const first = await page.textContent("#last");
  await expect.poll(() => page.textContent("#last"), DEADLINE).not.toBe(first);
  expect(await page.locator("#chart canvas").count()).toBeGreaterThan(0);
  expect(log.errors).toEqual([]);
});

test("a page of an origin that is not permitted says what to do", async () => {
  const stranger = await serveFolder(resolve("../examples"), (text) => text.replaceAll("http://127.0.0.1:8080", server.origin));
  onTestFinished(() => stranger.stop());
  const { page, log } = await open(stranger.origin, "watchlist.html");

  await expect.poll(() => page.textContent("#error"), DEADLINE).toContain(`--allow-origin ${stranger.origin}`);
  // It stays while the client goes on trying.
  const { sockets } = log;
  await expect.poll(() => log.sockets, DEADLINE).toBeGreaterThan(sockets + 1);
  expect(await page.textContent("#error")).toContain("does not let in");
});

test("pages of all origins may import the client, and revalidate it", async () => {
  const first = await fetch(`${server.origin}/client.js`, { headers: { origin: "https://anywhere.example" } });
  const tag = first.headers.get("etag") ?? "";
  const again = await fetch(`${server.origin}/client.js`, { headers: { "if-none-match": tag } });

  expect([first.status, first.headers.get("content-type"), first.headers.get("access-control-allow-origin"), first.headers.get("cache-control")]).toEqual([
    200,
    expect.stringContaining("text/javascript"),
    "*",
    "public, max-age=300",
  ]);
  expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, tag, ""]);
  expect((await fetch(`${server.origin}/client.js`, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
});
