import { expect, test } from "vitest";
import { openAllPanels } from "./all-panels";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, readyState, waitUntilLive, rowOf, STILL } from "./dashboard-page";

/** The dashboard in all its states has no accessibility violations according to axe-core. */

const open = dashboards();

test.each([
  ["dark", "en-US", 1280],
  ["light", "en-US", 1280],
  ["dark", "zh-CN", 360],
  ["light", "zh-CN", 360],
] as const)("the dashboard has no accessibility violations: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const context = { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 800 } } as const;
  const { page, server } = await open({ query: "?list=AAPL,MSFT,TSLA,KO", context });
  server.setTrading("TSLA", "halted");
  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();
  // Pause, so that the result does not depend on the moment.
  await page.keyboard.press(" ");
  expect(await violationsOf(page)).toEqual([]);

  for (const button of ["#settings-button", "#columns-button", "#list-new"]) {
    await page.click(button);
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press("Escape");
  }
  await page.locator("#search").fill("co");
  await page.locator("#search-hits [role=option]").first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
});

const THEMES = [["dark", "none"], ["light", "none"], ["dark", "active"]] as const;

test.each(THEMES)("no panel has accessibility violations: %s, forced colours %s, live and stale", async (colorScheme, forcedColors) => {
  const context = { colorScheme, forcedColors, reducedMotion: "reduce", viewport: { width: 2400, height: 1800 } } as const;
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,TSLA,KO", context });
  server.setTrading("TSLA", "halted");
  server.publish("chat:lobby", { text: "Morning" }, "anna");
  await openAllPanels(page);
  server.print("AAPL", 228.5);
  await page.locator(".mover").first().waitFor();
  await page.locator("#panel-source [data-figure='uptime']").waitFor();
  await page.locator("#panel-wire .wire-row").first().click();
  expect(await violationsOf(page)).toEqual([]);

  server.drain(60_000);
  server.closeAll(1012);
  await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("true");
  expect(await violationsOf(page)).toEqual([]);
});

test.each(["dark", "light"] as const)("a figure that just changed is readable in %s mode, in the selected row too", async (colorScheme) => {
  const { page } = await open({ query: "?list=AAPL,TSLA", context: { colorScheme } });
  await page.keyboard.press(" ");
  for (const stage of ["up-lit", "down-lit", "up-dim", "down-dim", "up-out"]) {
    await page.evaluate((stage) => {
      for (const figure of document.querySelectorAll<HTMLElement>(".figure")) figure.dataset["flash"] = stage;
    }, stage);
    expect(await violationsOf(page)).toEqual([]);
  }
});

test.each(["dark", "light"] as const)("the disconnected dashboard has no accessibility violations in %s mode", async (colorScheme) => {
  const { page, server } = await open({ query: "?list=AAPL,TSLA", context: { colorScheme, reducedMotion: "reduce" } });
  server.drain(60_000);
  server.closeAll(1012);
  await expect.poll(() => readyState(page), DEADLINE).toBe("CLOSED");

  expect(await violationsOf(page)).toEqual([]);
  await page.click("#connection-retry");
  await waitUntilLive(page);
});
