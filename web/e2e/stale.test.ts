import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { FakeServer } from "../fake/server";
import { dashboards, DEADLINE, lastOf, STILL, text, waitUntilLive } from "./dashboard-page";

/** Stale prices do not look live: from the moment the feed is lost until the first new object, in every place at once. */

const open = dashboards();

const SHARED = { market: STILL, query: "?list=AAPL,KO" } as const;

const isStale = (page: Page) => page.getAttribute("body", "data-stale").then((value) => value === "true");

/** Records each change between stale and current. */
async function watchStale(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const changes: string[] = [];
    let before = document.body.dataset["stale"];
    new MutationObserver(() => {
      const now = document.body.dataset["stale"] ?? "";
      if (now !== before) changes.push(now);
      before = now;
    }).observe(document.body, { attributeFilter: ["data-stale"] });
    Object.assign(globalThis, { staleChanges: changes });
  });
  return () => page.evaluate(() => (globalThis as unknown as { staleChanges: readonly string[] }).staleChanges);
}

/** What shows a price or a change, with the colour that it has. */
const colours = (page: Page) =>
  page.evaluate(() => {
    const colourOf = (selector: string) => [...document.querySelectorAll(selector)].map((node) => getComputedStyle(node).color);
    const [grey = ""] = colourOf(".c-name");
    const figures = [".ag-row .c-last .figure", ".ag-row .c-figure .figure[data-sign]", ".headline-last .figure", ".headline-change .figure", "#strip .figure", ".sales-row .sales-price", ".legend .legend-value"];
    return {
      notGrey: figures.filter((selector) => colourOf(selector).some((colour) => colour !== grey)),
      chart: getComputedStyle(document.querySelector(".chart") ?? document.body).filter,
      tape: getComputedStyle(document.getElementById("strip-run") ?? document.body).animationPlayState,
    };
  });

const STALE = { notGrey: [], chart: "grayscale(1)", tape: "paused" };

test("a silent server makes every price stale, through all attempts, until the first new object", async () => {
  const { page, server, log } = await open(SHARED);
  server.print("AAPL", 228.5);
  await expect.poll(() => page.title(), DEADLINE).toBe("AAPL 228.50 · Tapecast");
  const changes = await watchStale(page);

  server.freeze();
  await expect.poll(() => isStale(page), DEADLINE).toBe(true);
  await expect.poll(() => text(page, "#connection-freshness"), DEADLINE).toMatch(/^prices of \d\d:\d\d:\d\d, \d+ s ago$/);
  await expect.poll(() => page.title(), DEADLINE).toBe("⚠ AAPL 228.50 · Tapecast");
  await expect.poll(() => colours(page), DEADLINE).toEqual(STALE);
  // The page drops the silent connection and tries others, which open and are silent too.
  await expect.poll(() => log.sockets, DEADLINE).toBeGreaterThan(1);
  const since = (await text(page, "#connection-freshness"))?.slice(0, 18);
  server.dropAll();
  await expect.poll(() => log.sockets, DEADLINE).toBeGreaterThan(3);
  expect((await text(page, "#connection-freshness"))?.slice(0, 18)).toBe(since);
  expect(await changes()).toEqual(["true"]);

  server.thaw();
  server.dropAll();
  await expect.poll(() => isStale(page), DEADLINE).toBe(false);
  await expect.poll(() => page.title(), DEADLINE).toBe("AAPL 228.50 · Tapecast");
  await waitUntilLive(page);
  expect(await changes()).toEqual(["true", "false"]);
});

test("a stopped server makes prices stale at once, and its restart ends that once", async () => {
  const { page, server, log } = await open(SHARED);
  server.print("AAPL", 228.5);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.50");
  const changes = await watchStale(page);

  const { port } = server;
  await server.kill();
  await expect.poll(() => colours(page), DEADLINE).toEqual(STALE);
  const { sockets } = log;
  await expect.poll(() => log.sockets, DEADLINE).toBeGreaterThan(sockets + 2);

  const again = new FakeServer({ ...STILL, port, epoch: "fake2" });
  onTestFinished(() => again.kill());
  await again.start();
  await expect.poll(() => isStale(page), DEADLINE).toBe(false);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toContain("restarted");
  expect(await changes()).toEqual(["true", "false"]);
  await expect.poll(() => text(page, "#count-missed"), DEADLINE).toBe("0");
});

test("a quiet market is not stale", async () => {
  const { page, server } = await open(SHARED);
  server.print("AAPL", 228.5);
  const changes = await watchStale(page);

  await expect.poll(() => text(page, "#connection-freshness"), DEADLINE).toMatch(/^quiet market · [5-9]/);
  expect(await changes()).toEqual([]);
});

test("a paused board says since when, in the page and in the tab's title", async () => {
  const { page, server } = await open(SHARED);
  server.print("AAPL", 228.5);
  await expect.poll(() => page.title(), DEADLINE).toBe("AAPL 228.50 · Tapecast");

  await page.click("#pause");
  server.print("AAPL", 229);
  await expect.poll(() => text(page, "#connection-freshness"), DEADLINE).toMatch(/^paused at \d\d:\d\d:\d\d, \d+ s ago$/);
  await expect.poll(() => page.title(), DEADLINE).toBe("⏸ AAPL · Tapecast");

  await page.click("#pause");
  await expect.poll(() => page.title(), DEADLINE).toBe("AAPL 229.00 · Tapecast");
});
