import { expect, test } from "vitest";
import { dashboards, DEADLINE, waitForFrames, waitUntilLive, lastOf, pauseAt, rowOf, rows, STILL, text } from "./dashboard-page";
import { recordPage } from "./browser";

/** The dashboard in front of the fake server. */

const open = dashboards();

test("the first prices appear, and only the server receives requests", async () => {
  const { page, server, log } = await open();

  await expect.poll(() => page.locator("#chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(3);
  expect([...log.hosts]).toEqual([server.origin]);
  expect(log.errors).toEqual([]);
});

test("a halted symbol is marked in its row and above the chart until trading resumes", async () => {
  const { page, server } = await open({ query: "?list=AAPL,TSLA,KO&symbol=TSLA" });
  const badge = page.locator(`${rowOf("TSLA")} .badge`);

  server.setTrading("TSLA", "halted");
  await badge.waitFor();
  expect(await badge.getAttribute("title")).toContain("News Pending");
  await page.locator(".headline .badge", { hasText: "halted" }).waitFor();
  expect(await page.locator(".ag-row .badge:visible").count()).toBe(1);

  server.setTrading("TSLA", "open");
  await badge.waitFor({ state: "hidden" });
  await page.locator(".headline .badge").waitFor({ state: "hidden" });
});

test("a page opened during a halt shows it", async () => {
  const { page, server } = await open({ query: "?list=AAPL,TSLA" });
  server.setTrading("TSLA", "halted");
  await page.reload();

  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();
});

test("the refresh slider takes effect at once", async () => {
  const { page, server } = await open();
  await page.locator("#refresh").fill("0");

  await expect.poll(() => server.commands.some(({ x }) => (x as Record<string, unknown>)["conflate_ms"] === 0), DEADLINE).toBe(true);
  expect(await text(page, "#refresh-text")).toBe("every tick");
});

test("a pause freezes prices, chart and trades at one moment, and resuming shows what arrived meanwhile", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO" });
  const last = lastOf("AAPL");
  const newest = ".sales-row:first-child .sales-price";
  server.print("AAPL", 228);
  await expect.poll(() => text(page, "#legend"), DEADLINE).toContain("C228.00");

  // The chart was drawn just now, so it would draw the next price only at its next slot.
  await pauseAt(page, last, "228.01");
  server.print("AAPL", 228.01);
  await expect.poll(() => page.getAttribute("#pause", "aria-pressed"), DEADLINE).toBe("true");
  server.print("AAPL", 231.77);
  server.setTrading("KO", "halted");
  await waitForFrames(page, 0);
  expect(await text(page, last)).toBe("228.01");
  expect(await text(page, newest)).toBe("228.01");
  expect(await text(page, "#legend")).toContain("C228.01");
  expect(await page.locator(`${rowOf("KO")} .badge`).isHidden()).toBe(true);

  await page.click("#pause");
  await expect.poll(() => text(page, last), DEADLINE).toBe("231.77");
  await expect.poll(() => text(page, newest), DEADLINE).toBe("231.77");
  await expect.poll(() => text(page, "#legend"), DEADLINE).toContain("C231.77");
  await page.locator(`${rowOf("KO")} .badge`).waitFor();
});

test("during a pause the chart has a crosshair, the trades scroll and another symbol can be selected", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
  await page.click("#pause");
  const legend = await text(page, "#legend");

  const chart = await page.locator("#chart").boundingBox();
  await page.mouse.move((chart?.x ?? 0) + 90, (chart?.y ?? 0) + 60);
  await expect.poll(() => text(page, "#legend"), DEADLINE).not.toBe(legend);

  await page.click(rowOf("KO"));
  await expect.poll(() => text(page, "#chart-empty").then(() => page.locator("#chart-empty").isHidden()), DEADLINE).toBe(true);
  await expect.poll(() => text(page, "#legend"), DEADLINE).toMatch(/O6\d\.\d\d/);
  await expect.poll(() => text(page, ".sales-row:first-child .sales-price"), DEADLINE).toMatch(/^6\d\.\d\d$/);
});

test("lists are created, renamed, switched and deleted", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });

  await page.click("#list-new");
  await page.keyboard.type("Energy");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#lists option:checked").textContent(), DEADLINE).toBe("Energy");
  await page.locator("#watchlist-empty").waitFor();
  await page.locator("#search").fill("XOM");
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, lastOf("XOM")), DEADLINE).toMatch(/\d/);
  await page.click("#list-delete");

  await expect.poll(() => rows(page), DEADLINE).toBe(2);
});

test("a view is shared by its URL: list, symbol and interval", async () => {
  const { page, server } = await open({ query: "?list=KO,XOM,AAPL" });
  await page.click(rowOf("XOM"));
  await page.keyboard.press("3");
  await expect.poll(() => page.url(), DEADLINE).toContain("interval=60");

  const { page: other } = await open({ query: new URL(page.url()).search, market: { stepMs: 10, dist: "dist" } });
  expect(await text(other, "#headline-symbol")).toBe("XOM");
  expect(await other.locator(".ag-row").evaluateAll((nodes) => nodes.map((node) => node.getAttribute("row-id")))).toEqual(["KO", "XOM", "AAPL"]);
  expect(await other.locator("#intervals input:checked + span").textContent()).toBe("1 min");
  expect(page.url()).toBe(`http://${server.origin}/?symbol=XOM&interval=60&list=KO,XOM,AAPL`);
});

test("settings are restored on the next visit", async () => {
  const { page } = await open({ context: { colorScheme: "dark" } });
  await page.locator("#refresh").fill("5");
  await page.click("#settings-button");
  await page.locator("label", { hasText: "Light" }).click();
  await page.locator("label", { hasText: "Red" }).click();
  await page.locator("label", { hasText: "简体中文" }).click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");

  await page.goto(new URL("/", page.url()).href);
  await waitUntilLive(page);
  const root = page.locator("html");
  expect(await root.getAttribute("data-theme")).toBe("light");
  expect(await root.getAttribute("data-rise")).toBe("red");
  expect(await root.getAttribute("lang")).toBe("zh-CN");
  expect(await page.locator("#strip").isHidden()).toBe(true);
  expect(await page.locator("#refresh").inputValue()).toBe("5");
});

test("invalid stored settings are ignored", async () => {
  const { page } = await open();
  const log = await recordPage(page);
  await page.evaluate(() => {
    for (const key of ["tapecast.settings", "tapecast.lists"]) localStorage.setItem(key, '{"columns":{"wide":"[7]"},"lists":"no"}');
  });
  await page.reload();

  await waitUntilLive(page);
  expect(log.errors).toEqual([]);
});

test.each([
  ["zh-CN", "自选股", "red"],
  ["en-GB", "Watchlist", "green"],
])("in %s the title is %s and rising prices are %s", async (locale, title, rise) => {
  const { page } = await open({ context: { locale } });

  expect(await text(page, "#watchlist-title")).toBe(title);
  expect(await page.locator("html").getAttribute("data-rise")).toBe(rise);
});
