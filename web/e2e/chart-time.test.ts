import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { dashboards, DEADLINE, STILL, text, waitUntilLive, type Opening } from "./dashboard-page";
import { recordTexts, textsOn } from "./drawn-texts";

const openDashboard = dashboards();

/** A dashboard whose chart has bars, and of whose axes the texts are recorded. */
async function open({ query = "?list=AAPL,KO", ...opening }: Opening = {}) {
  const dashboard = await openDashboard({ ...opening, query });
  const { page } = dashboard;
  await recordTexts(page);
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => marks(page), DEADLINE).not.toEqual([]);
  return dashboard;
}

const marks = async (page: Page) => (await textsOn(page, "time")).map(({ text }) => text);
const label = (page: Page) => page.locator(".chart").first().getAttribute("aria-label");
const box = async (page: Page, selector: string) => (await page.locator(selector).first().boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };

/** Drags the chart by a part of its width. */
async function drag(page: Page, share: number): Promise<void> {
  const { x, y, width, height } = await box(page, ".chart canvas");
  const [from, middle] = [x + width * (share > 0 ? 0.1 : 0.9), y + height / 2];
  await page.mouse.move(from, middle);
  await page.mouse.down();
  await page.mouse.move(from + width * share, middle, { steps: 8 });
  // Without a rest before it, the end of a drag makes the chart glide on.
  await page.mouse.move(from + width * share, middle);
  await page.waitForFunction((since) => performance.now() - since > 120, await page.evaluate(() => performance.now()));
  await page.mouse.up();
}

test("bars of 15 minutes and of an hour are chosen by a key, come from history and follow trades", async () => {
  const { page, server } = await open({ market: STILL });
  for (const [key, name] of [["5", "15 min"], ["6", "1 h"]] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => label(page), DEADLINE).toBe(`Chart of AAPL, ${name}`);
    await expect.poll(() => text(page, ".intervals input:checked + span"), DEADLINE).toBe(name);
    await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);
    const price = key === "5" ? 228.75 : 229.25;
    server.print("AAPL", price);
    await expect.poll(() => text(page, ".legend"), DEADLINE).toContain(`C${price}`);
  }
  expect(new URL(page.url()).searchParams.get("interval")).toBe("3600");
});

test("in a narrow panel the candle lengths are a menu", async () => {
  const { page } = await open({ context: { viewport: { width: 320, height: 740 }, hasTouch: true } });
  expect(await page.locator(".intervals label:visible").count()).toBe(0);

  await page.locator(".interval-menu").selectOption({ label: "1 h" });

  await expect.poll(() => label(page), DEADLINE).toBe("Chart of AAPL, 1 h");
  expect((await box(page, ".interval-menu")).height).toBeGreaterThanOrEqual(44);
});

test("history is loaded to its beginning, which is marked, and the chart is not dragged beyond it", async () => {
  const { page } = await open({ query: "?list=AAPL,KO&interval=300" });
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);
  const start = page.locator(".history-start");
  expect(await start.isVisible()).toBe(false);
  const reached = async () => {
    await drag(page, 0.8);
    return await start.isVisible();
  };
  await expect.poll(reached, DEADLINE).toBe(true);
  expect(await text(page, ".history-start")).toMatch(/^History begins here · [A-Z][a-z]{2} \d+, \d{4}$/);

  for (let times = 0; times < 3; times += 1) await drag(page, 0.8);

  const [chart, mark] = await Promise.all([box(page, ".chart"), box(page, ".history-start")]);
  expect(mark.x - chart.x).toBeGreaterThanOrEqual(0);
  expect(mark.x - chart.x).toBeLessThan(12);
  const onAxis = await textsOn(page, "time");
  expect(onAxis.at(-1)?.x).toBeGreaterThan(chart.width * 0.6);
});

test("the chart is not dragged away from its newest bar", async () => {
  const { page } = await open({ query: "?list=AAPL,KO&interval=300" });
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);

  for (let times = 0; times < 3; times += 1) await drag(page, -0.8);

  const { width } = await box(page, ".chart");
  const last = async () => (await textsOn(page, "time")).at(-1)?.x ?? 0;
  await expect.poll(last, DEADLINE).toBeGreaterThan(width * 0.4);
  expect(await last()).toBeLessThan(width * 0.8);
});

test("scrolled back, the label on the price axis is that of the last price", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO&interval=300" });
  server.print("AAPL", 227.77);
  const prices = async () => (await textsOn(page, "price")).map(({ text }) => text);
  await expect.poll(prices, DEADLINE).toContain("227.77");

  await drag(page, 0.8);

  await expect.poll(() => page.locator(".latest").isVisible(), DEADLINE).toBe(true);
  // The crosshair has a label too.
  await page.mouse.move(0, 0);
  expect(await prices()).toContain("227.77");
  await expect.poll(async () => (await prices()).filter((price) => !/\.[05]0$/.test(price)), DEADLINE).toEqual(["227.77"]);
});

test.each([
  [1, /^\d\d:\d\d(:15|:30|:45)?$/],
  [5, /^\d\d:\d\d(:30)?$/],
  [60, /^(\d\d:(00|15|30|45)|[A-Z][a-z]{2} \d{1,2})$/],
  [900, /^(\d\d:00|[A-Z][a-z]{2} \d{1,2})$/],
  [3_600, /^(\d\d:00|[A-Z][a-z]{2} \d{1,2})$/],
  [86_400, /^([A-Z][a-z]{2}( \d{1,2})?|\d{4})$/],
])("the marks of bars of %d s are at round times", async (interval, round) => {
  const { page } = await open({ query: `?list=AAPL,KO&interval=${interval}` });
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);
  await expect.poll(async () => (await marks(page)).length, DEADLINE).toBeGreaterThan(1);

  expect((await marks(page)).filter((mark) => !round.test(mark))).toEqual([]);
});

/** How many hours the clocks of a zone are ahead of UTC. */
function hoursOf(zone: string, at: Date): number {
  const hour = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", hourCycle: "h23" }).format(at);
  return (Number(hour) - at.getUTCHours() + 24) % 24;
}

test("all times are those of the chosen zone, which the axis names", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO&interval=60", context: { timezoneId: "Asia/Tokyo" } });
  server.print("AAPL", 228);
  const sale = "#sales-rows .sales-row:not([hidden]) span";
  await expect.poll(() => text(page, sale), DEADLINE).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
  const hour = async (of: () => Promise<string | null | undefined>) => Number((await of())?.slice(0, 2));
  const lastMark = async () => (await marks(page)).filter((mark) => mark.includes(":")).at(-1);
  const first = { sale: await hour(() => text(page, sale)), mark: await hour(lastMark) };
  expect(await text(page, ".chart-zone")).toBe("New York");
  await page.click("#settings-button");

  const now = new Date();
  const newYork = hoursOf("America/New_York", now);
  for (const [choice, zone, name] of [["utc", "UTC", "UTC"], ["browser", "Asia/Tokyo", "GMT+9"], ["exchange", "America/New_York", "New York"]] as const) {
    await page.locator(`label:has(#choose-timeZone-${choice})`).click();
    await expect.poll(() => text(page, ".chart-zone"), DEADLINE).toBe(name);
    const ahead = hoursOf(zone, now) - newYork;
    const shifted = (hour: number) => (hour + ahead + 24) % 24;
    await expect.poll(() => hour(() => text(page, sale)), DEADLINE).toBe(shifted(first.sale));
    await expect.poll(() => hour(lastMark), DEADLINE).toBe(shifted(first.mark));
  }

  await page.locator("label:has(#choose-timeZone-utc)").click();
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => text(page, ".chart-zone"), DEADLINE).toBe("UTC");
});

test("the crosshair tells date, time and the part of the session", async () => {
  const { page } = await open({ query: "?list=AAPL,KO&interval=3600" });
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);
  const { x, y, width, height } = await box(page, ".chart canvas");
  const parts = new Set<string>();
  for (let at = x + width; at > x; at -= 7) {
    await page.mouse.move(at, y + height / 2);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    for (const { text } of await textsOn(page, "time")) {
      const part = /^[A-Z][a-z]{2} \d{1,2} \d\d:00( · (.+))?$/.exec(text);
      if (part !== null) parts.add(part[2] ?? "regular");
    }
  }

  expect([...parts].sort()).toEqual(["after hours", "exchange closed", "pre-market", "regular"]);
});
