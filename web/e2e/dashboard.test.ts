import { expect, test } from "vitest";
import { dashboards, DEADLINE, waitForFrames, waitUntilLive, lastOf, pauseAt, rowOf, rows, selected, STILL, symbolsOf, text } from "./dashboard-page";
import { recordPage } from "./browser";

/** The dashboard in front of the fake server. */

const open = dashboards();

test("the first prices appear, and only the server receives requests", async () => {
  const { page, server, log } = await open();

  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(3);
  expect([...log.hosts]).toEqual([server.origin]);
  expect(log.errors).toEqual([]);
});

test("a halted symbol is marked in its row and above the chart until trading resumes", async () => {
  const { page, server } = await open({ query: "?list=AAPL,TSLA,KO&symbol=TSLA" });
  const badge = page.locator(`${rowOf("TSLA")} .badge`);

  server.setTrading("TSLA", "halted");
  await badge.waitFor();
  await expect.poll(() => badge.getAttribute("title"), DEADLINE).toContain("News Pending");
  await page.locator(".headline .badge", { hasText: "halted" }).waitFor();
  await expect.poll(() => page.locator(".ag-row .badge:visible").count(), DEADLINE).toBe(1);

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
  await expect.poll(() => text(page, "#refresh-text"), DEADLINE).toBe("every tick");
});

test("a pause freezes prices, chart and trades at one moment, and resuming shows what arrived meanwhile", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO" });
  const last = lastOf("AAPL");
  const newest = ".sales-row:first-child .sales-price";
  server.print("AAPL", 228);
  await expect.poll(() => text(page, ".legend"), DEADLINE).toContain("C228.00");

  // The chart was drawn just now, so it would draw the next price only at its next slot.
  await pauseAt(page, last, "228.01");
  server.print("AAPL", 228.01);
  await expect.poll(() => page.getAttribute("#pause", "aria-pressed"), DEADLINE).toBe("true");
  server.print("AAPL", 231.77);
  server.setTrading("KO", "halted");
  await waitForFrames(page, 0);
  expect(await text(page, last)).toBe("228.01");
  expect(await text(page, newest)).toBe("228.01");
  expect(await text(page, ".legend")).toContain("C228.01");
  expect(await page.locator(`${rowOf("KO")} .badge`).isHidden()).toBe(true);

  await page.click("#pause");
  await expect.poll(() => text(page, last), DEADLINE).toBe("231.77");
  await expect.poll(() => text(page, newest), DEADLINE).toBe("231.77");
  await expect.poll(() => text(page, ".legend"), DEADLINE).toContain("C231.77");
  await page.locator(`${rowOf("KO")} .badge`).waitFor();
});

test("during a pause the chart has a crosshair, the trades scroll and another symbol can be selected", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
  await page.click("#pause");
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/\d/);
  const legend = await text(page, ".legend");

  const chart = await page.locator(".chart").boundingBox();
  await page.mouse.move((chart?.x ?? 0) + 90, (chart?.y ?? 0) + 60);
  await expect.poll(() => text(page, ".legend"), DEADLINE).not.toBe(legend);

  await page.click(rowOf("KO"));
  await page.locator(".chart-empty").waitFor({ state: "hidden" });
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O6\d\.\d\d/);
  await expect.poll(() => text(page, ".sales-row:first-child .sales-price"), DEADLINE).toMatch(/^6\d\.\d\d$/);
});

test("lists are created, renamed, switched and deleted", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });

  await page.click("#list-new");
  await page.keyboard.type("Energy");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#lists option:checked").textContent(), DEADLINE).toBe("Energy");
  await page.locator(".watchlist-empty").waitFor();
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
  await expect.poll(() => page.url(), DEADLINE).toBe(`http://${server.origin}/?symbol=XOM&interval=60&list=KO,XOM,AAPL`);

  const { page: other } = await open({ query: new URL(page.url()).search, market: { stepMs: 10, dist: "dist" } });
  await expect.poll(() => selected(other), DEADLINE).toBe("XOM");
  await expect.poll(() => symbolsOf(other), DEADLINE).toEqual(["KO", "XOM", "AAPL"]);
  await expect.poll(() => text(other, ".intervals input:checked + span"), DEADLINE).toBe("1 min");
});

test("a key pressed directly after a click acts on the clicked row", async () => {
  const { page } = await open({ query: "?list=KO,XOM,AAPL" });
  // In one task: the grid reports the click in a later one.
  const query = await page.evaluate(() => {
    const cell = document.querySelector('.ag-row[row-id="XOM"] .ag-cell');
    for (const type of ["mousedown", "mouseup", "click"]) cell?.dispatchEvent(new MouseEvent(type, { bubbles: true, button: 0 }));
    cell?.dispatchEvent(new KeyboardEvent("keydown", { key: "3", bubbles: true }));
    return location.search;
  });

  expect(query).toBe("?symbol=XOM&interval=60&list=KO,XOM,AAPL");
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
  await expect.poll(() => root.getAttribute("data-theme"), DEADLINE).toBe("light");
  await expect.poll(() => root.getAttribute("data-rise"), DEADLINE).toBe("red");
  await expect.poll(() => root.getAttribute("lang"), DEADLINE).toBe("zh-CN");
  await expect.poll(() => page.locator("#strip").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#refresh").inputValue(), DEADLINE).toBe("5");
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

  await expect.poll(() => text(page, "#panel-watchlist h2"), DEADLINE).toBe(title);
  await expect.poll(() => page.locator("html").getAttribute("data-rise"), DEADLINE).toBe(rise);
});

test("a late trade is muted, a cancelled one is struck out, and the last price is that of the trade before it", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO" });
  const newest = page.locator("#sales-rows .sales-row:visible").first();
  server.print("AAPL", 228);
  server.print("AAPL", 228.4);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.40");

  server.cancel("AAPL");
  await expect.poll(() => newest.getAttribute("data-mark"), DEADLINE).toBe("cancelled");
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.00");
  await expect.poll(() => text(page, ".headline-last"), DEADLINE).toBe("228.00");
  server.quote("AAPL");
  await waitForFrames(page, 0);
  expect(await text(page, lastOf("AAPL"))).toBe("228.00");

  server.print("AAPL", 228.2);
  server.correct("AAPL", 228.1);
  await expect.poll(() => newest.getAttribute("data-mark"), DEADLINE).toBe("corrected");
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.10");

  server.printLate("AAPL", 220, 20);
  await expect.poll(() => newest.getAttribute("data-mark"), DEADLINE).toBe("late");
  await expect.poll(() => newest.getAttribute("data-side"), DEADLINE).toBe("between");
  await expect.poll(() => newest.textContent(), DEADLINE).toMatch(/^\d\d:\d\d:\d\d late220\.00/);
});

test("an unknown symbol is told in its row, above the chart and in a notice that offers to remove it", async () => {
  const { page } = await open({ query: "?list=AAPL,NOPE&symbol=NOPE" });

  await page.locator(`${rowOf("NOPE")} .badge`, { hasText: "UNKNOWN" }).waitFor();
  await page.locator(".headline .badge", { hasText: "Unknown symbol" }).waitFor();
  await expect.poll(() => text(page, ".chart-empty"), DEADLINE).toContain("Unknown symbol");
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("Unknown symbols: NOPE.");

  await page.click("#notice-action");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL"]);
  await expect.poll(() => selected(page), DEADLINE).toBe("AAPL");
});

test("a notice moves nothing and leaves when it is dismissed", async () => {
  const { page, server } = await open({ query: "?list=AAPL,NOPE" });
  await page.locator("#notice").waitFor();
  const topOf = () => page.locator("main").evaluate((main) => main.getBoundingClientRect().top);
  const top = await topOf();

  await page.click("#notice-close");
  await page.locator("#notice").waitFor({ state: "hidden" });
  expect(await topOf()).toBe(top);

  // A state leaves with its end.
  server.drain(60_000);
  server.closeAll(1012);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toContain("restarting");
  await page.click("#connection-retry");
  await page.locator("#notice").waitFor({ state: "hidden" });
});
