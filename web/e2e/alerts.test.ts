import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, lastOf, rowOf, STILL, selected, text, waitUntilLive, type DashboardPage } from "./dashboard-page";

/** Price alerts, in front of the fake server. */

const open = dashboards();
const BUTTON = "[aria-controls=panel-alerts]";
const LEVEL = ".alert-form input[type=text]";
const LIST = "?list=AAPL,MSFT,KO";

const list = (page: Page, at: number) =>
  page.locator(".alert-list").nth(at).locator(".alert-item").evaluateAll((items) => items.map((item) => [...item.querySelectorAll(".alert-select, .alert-text, small")].map((node) => node.firstChild?.textContent ?? "").join(" | ")));
const active = (page: Page) => list(page, 0);
const fired = (page: Page) => list(page, 1);
const status = (page: Page) => text(page, "#panel-alerts .chat-status");
const mark = (page: Page, symbol: string) => page.locator(`${rowOf(symbol)} .symbol-cell`).getAttribute("data-alert");

/** Sets an alert of this kind: 0 price above, 1 price below, 2 change above, 3 change below. */
async function setAlert(page: Page, kind: number, level: string): Promise<void> {
  await page.selectOption(".alert-form select", String(kind));
  await page.fill(LEVEL, level);
  await page.press(LEVEL, "Enter");
}

test("an alert is set by the keyboard, marks its row, fires once, and is told in the list, the title and a notice", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  server.print("AAPL", 230);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("230.00");
  await page.keyboard.press("a");
  await expect.poll(() => page.inputValue(LEVEL), DEADLINE).toBe("230.00");
  await setAlert(page, 0, "231.5");
  await expect.poll(() => active(page), DEADLINE).toEqual(["AAPL | Price ≥ 231.50 | "]);
  await expect.poll(() => mark(page, "AAPL"), DEADLINE).toBe("set");
  await page.keyboard.press("Escape");

  server.print("AAPL", 231.49);
  server.print("AAPL", 231.6);
  server.print("AAPL", 231.7);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("AAPL at 231.60. Alert: Price ≥ 231.50");
  await expect.poll(() => page.title(), DEADLINE).toMatch(/^🔔1 AAPL 231\.[67]0 · Tapecast$/);
  expect(await mark(page, "AAPL")).toBe("fired");
  await expect.poll(() => text(page, `${BUTTON} .count + span`), DEADLINE).toBe("1 fired");

  await page.click("#notice-action");
  await expect.poll(() => fired(page), DEADLINE).toEqual([expect.stringMatching(/^AAPL \| 231\.60 at \d\d:\d\d:\d\d \| Price ≥ 231\.50$/)]);
  expect(await active(page)).toEqual([]);
  await expect.poll(() => page.title(), DEADLINE).not.toMatch(/🔔/);
  expect(await mark(page, "AAPL")).toBe("none");
});

test("a repeated alert on a change stays, and one that is there already says so", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await page.click(BUTTON);
  await page.locator(".alert-form label").click();
  await setAlert(page, 3, "5");
  await expect.poll(() => active(page), DEADLINE).toEqual(["AAPL | Change ≤ 5 % | every time · already there: waits for the next crossing"]);

  for (const price of [400, 200, 400, 200]) server.print("AAPL", price);
  await expect.poll(async () => (await fired(page)).length, DEADLINE).toBe(2);
  expect((await active(page)).length).toBe(1);
  await page.locator(".alert-item .remove").click();
  await expect.poll(() => active(page), DEADLINE).toEqual([]);
});

test("a level that is none is not sent", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await page.click(BUTTON);
  await setAlert(page, 0, "much");
  await expect.poll(() => status(page), DEADLINE).toBe("Enter a price above 0");
  await setAlert(page, 2, "");
  await expect.poll(() => status(page), DEADLINE).toBe("Enter a change in percent, such as 5 or -5");

  expect(server.commands.filter(({ action }) => action === "alert")).toEqual([]);
});

test("alerts outlive a reload, and what they crossed meanwhile is told", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await page.click(BUTTON);
  await setAlert(page, 0, "900");
  await expect.poll(() => mark(page, "AAPL"), DEADLINE).toBe("set");
  await expect.poll(() => active(page), DEADLINE).toEqual(["AAPL | Price ≥ 900.00 | "]);
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => mark(page, "AAPL"), DEADLINE).toBe("set");
  await expect.poll(() => server.commands.filter(({ action }) => action === "alert").length, DEADLINE).toBe(2);

  server.dropAll();
  server.print("AAPL", 901);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("AAPL at 901.00. Alert: Price ≥ 900.00");
});

test("a line dragged from the chart's button proposes its price, and a set line can be moved by pointer and keys", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  for (const price of [226, 230, 228]) server.print("AAPL", price);
  await page.locator(".alert-add").waitFor();
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  const [from, chart] = [await page.locator(".alert-add").boundingBox(), await page.locator(".chart").boundingBox()];
  if (from === null || chart === null) throw new Error("the chart is not shown");
  const drag = async (x: number, y: number, toY: number) => {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, (y + toY) / 2);
    await page.mouse.move(x, toY);
    await page.mouse.up();
  };
  await drag(from.x + 12, from.y + 12, chart.y + chart.height / 4);
  const proposed = Number(await page.inputValue(LEVEL));
  expect(proposed).toBeGreaterThan(220);
  await page.press(LEVEL, "Enter");
  await expect.poll(async () => (await active(page)).length, DEADLINE).toBe(1);

  const line = page.locator(".alert-line:not(.alert-ghost):visible .alert-handle");
  await line.waitFor();
  const level = async () => Number(/[\d.]+/.exec((await active(page))[0] ?? "")?.[0]);
  // The chart may be drawn anew after the line was set, so that the line is elsewhere when it is taken.
  await expect
    .poll(async () => {
      const box = await line.boundingBox();
      if (box !== null) await drag(box.x + 12, box.y + 12, box.y + 60);
      return expect.poll(level, { timeout: 2_000 }).toBeLessThan(proposed).then(() => true, () => false);
    }, DEADLINE)
    .toBe(true);
  const moved = await level();
  await line.press("ArrowUp");
  await expect.poll(level, DEADLINE).toBeGreaterThan(moved);
});

test("a server without alerts says so", async () => {
  const { page } = await open({ market: { ...STILL, alerts: "none" }, query: LIST });
  await page.click(BUTTON);
  await setAlert(page, 0, "900");

  await expect.poll(() => status(page), DEADLINE).toBe("This server has no alerts");
  expect(await text(page, "#notice-text")).toBe("");
});

test("notifications are off, and permission is asked for only when the user chooses them", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await page.evaluate(() => {
    const log: string[] = [];
    const recorder = function (title: string) {
      log.push(title);
    };
    const requestPermission = () => {
      log.push("asked");
      return Promise.resolve("granted");
    };
    Object.assign(window, { Notification: Object.assign(recorder, { permission: "granted", requestPermission }), notificationLog: log });
  });
  const log = () => page.evaluate(() => (window as unknown as { notificationLog: string[] }).notificationLog);
  await page.click(BUTTON);
  await setAlert(page, 0, "900");
  await setAlert(page, 0, "910");
  await expect.poll(async () => (await active(page)).length, DEADLINE).toBe(2);
  server.print("AAPL", 905);
  await expect.poll(async () => (await fired(page)).length, DEADLINE).toBe(1);
  expect(await log()).toEqual([]);

  await page.locator(".alert-choices label", { hasText: "System notification" }).click();
  await expect.poll(log, DEADLINE).toEqual(["asked"]);
  server.print("AAPL", 911);
  await expect.poll(log, DEADLINE).toEqual(["asked", "AAPL 911.00"]);
});

test("an alert on another symbol is shown by its name in the list", async () => {
  const { page } = await open({ market: STILL, query: LIST });
  await page.click(BUTTON);
  await setAlert(page, 1, "1");
  await page.locator("#watchlist .ag-row[row-id=KO]").click();
  await expect.poll(() => text(page, ".alert-symbol"), DEADLINE).toBe("KO");
  await page.click(".alert-select");

  await expect.poll(() => selected(page), DEADLINE).toBe("AAPL");
});

test("on a phone the panels are in reach wherever the page is scrolled, and the chart's button opens the form", async () => {
  const { page } = await open({ query: LIST, context: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } });
  await page.evaluate(() => {
    scrollTo(0, document.documentElement.scrollHeight);
  });
  await page.locator(BUTTON).tap();
  expect(await page.locator("#panel-alerts").evaluate((panel) => {
    const { top, bottom, left, right } = panel.getBoundingClientRect();
    return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
  })).toBe(true);
  await page.locator("#panel-alerts .side-close").tap();
  expect(await page.locator("#panel-alerts").isHidden()).toBe(true);

  await page.locator(".alert-add").tap();
  await expect.poll(() => page.inputValue(LEVEL), DEADLINE).toMatch(/^\d+\.\d\d/);
});

/** Lets an alert fire while the panel is closed. */
async function setAlertFired(page: Page, server: DashboardPage["server"]): Promise<void> {
  server.print("AAPL", 499);
  server.print("AAPL", 901);
  await expect.poll(() => page.locator(`${BUTTON} .count`).isVisible(), DEADLINE).toBe(true);
}

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the alerts have no accessibility violations and overflow nothing: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, server } = await open({ market: STILL, query: LIST, context: { colorScheme, locale, viewport: { width, height: 740 } } });
  await page.click(BUTTON);
  for (const [kind, level] of [[0, "900"], [1, "1"], [2, "10000"], [3, "-99.5"], [0, "500"]] as const) await setAlert(page, kind, level);
  server.print("AAPL", 501);
  await expect.poll(async () => [(await active(page)).length, (await fired(page)).length], DEADLINE).toEqual([4, 1]);

  expect(await violationsOf(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);

  await page.keyboard.press("Escape");
  await setAlertFired(page, server);
  expect(await violationsOf(page)).toEqual([]);
  await page.click(BUTTON);
  expect(await page.locator(".alert-scroll").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
});
