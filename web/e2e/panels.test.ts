import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, lastOf, rowOf, selected, STILL, symbolsOf, text, waitUntilLive } from "./dashboard-page";

/** The board's panels: moved, resized, closed, maximised and in windows of their own; several charts; walls and phones. */

const open = dashboards();

const WIDE = { viewport: { width: 1440, height: 900 } } as const;

/** The open panels of the board from left to right and top to bottom. */
const panelsOf = (page: Page) =>
  page.locator("#board > .panel:visible").evaluateAll((nodes) =>
    nodes
      .map((node) => ({ id: node.id.replace("panel-", ""), box: node.getBoundingClientRect() }))
      .sort((a, b) => Math.round(a.box.top - b.box.top) || a.box.left - b.box.left)
      .map(({ id }) => id),
  );

const widthOf = async (page: Page, id: string) => (await page.locator(`#panel-${id}`).boundingBox())?.width ?? 0;

/** Chooses in a panel's menu by the keyboard. */
async function choose(page: Page, id: string, choice: string): Promise<void> {
  await page.locator(`#panel-${id} .panel-menu-button:not(.pin)`).focus();
  await page.keyboard.press("Enter");
  await page.locator(`#panel-${id} .menu-choice`, { hasText: choice }).focus();
  await page.keyboard.press("Enter");
}

/** Opens or closes a panel in the menu "Panels" by the keyboard. */
async function toggle(page: Page, id: string): Promise<void> {
  await page.locator("#panels-button").focus();
  await page.keyboard.press("Enter");
  await page.locator(`[data-panel="${id}"]`).focus();
  await page.keyboard.press(" ");
  await page.keyboard.press("Escape");
}

/** What the server was told to send or not to send any more, as `subscribe trades AAPL`. */
const streams = (commands: readonly Record<string, unknown>[], action: string) =>
  commands.filter((command) => command["action"] === action).flatMap((command) =>
    ["trades", "quotes", "bars", "tickers"].flatMap((channel) => (Array.isArray(command[channel]) ? (command[channel] as string[]).map((symbol) => `${channel} ${symbol}`) : [])),
  );

test("the keyboard moves, resizes, maximises, closes and opens panels, and a reload shows them as they were", async () => {
  const { page } = await open({ context: WIDE, query: "?list=AAPL,KO" });
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart", "sales", "stream", "watchlist"]);

  await choose(page, "sales", "Move left");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["sales", "chart", "stream", "watchlist"]);
  const before = await widthOf(page, "sales");
  await page.getByRole("separator", { name: "Resize Time and sales and Chart" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => Math.round((await widthOf(page, "sales")) - before), DEADLINE).toBe(32);

  await choose(page, "chart", "Maximise");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart"]);
  expect(await widthOf(page, "chart")).toBeGreaterThan(1_400);
  await page.keyboard.press("Escape");
  await choose(page, "stream", "Close");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["sales", "chart", "watchlist"]);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("panels-button");
  await toggle(page, "chart-2");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["sales", "chart", "watchlist", "chart-2"]);

  const width = await widthOf(page, "sales");
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["sales", "chart", "watchlist", "chart-2"]);
  expect(await widthOf(page, "sales")).toBe(width);

  await page.locator("#panels-button").focus();
  await page.keyboard.press("Enter");
  await page.locator("#panel-list button").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart", "sales", "stream", "watchlist"]);
});

test("the mouse drags a panel beside another one and a separator between two", async () => {
  const { page } = await open({ context: WIDE, query: "?list=AAPL,KO" });
  const head = await page.locator("#panel-stream h2").boundingBox();
  const chart = await page.locator("#panel-chart").boundingBox();
  await page.mouse.move((head?.x ?? 0) + 5, (head?.y ?? 0) + 5);
  await page.mouse.down();
  await page.mouse.move((chart?.x ?? 0) + 200, (chart?.y ?? 0) + 100, { steps: 4 });
  await page.mouse.move((chart?.x ?? 0) + 20, (chart?.y ?? 0) + 150, { steps: 4 });
  expect(await page.locator("#panel-chart .drop-mark").getAttribute("data-place")).toBe("left");
  await page.mouse.up();
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["stream", "chart", "sales", "watchlist"]);

  const bar = await page.getByRole("separator", { name: "Resize Chart and Time and sales" }).boundingBox();
  const before = await widthOf(page, "sales");
  await page.mouse.move((bar?.x ?? 0) + 3, (bar?.y ?? 0) + 50);
  await page.mouse.down();
  await page.mouse.move((bar?.x ?? 0) - 97, (bar?.y ?? 0) + 60, { steps: 5 });
  await page.mouse.up();
  await expect.poll(async () => Math.round((await widthOf(page, "sales")) - before), DEADLINE).toBe(100);
});

test("a panel in a window of its own goes on, turns grey with the page, and comes back when the window is closed", async () => {
  const { page, server, log } = await open({ context: WIDE, market: STILL, query: "?list=AAPL,KO" });
  const [popup] = await Promise.all([page.waitForEvent("popup"), choose(page, "watchlist", "Open in a window")]);
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart", "sales", "stream"]);
  server.print("AAPL", 231.5);
  await expect.poll(() => text(popup, lastOf("AAPL")), DEADLINE).toBe("231.50");
  await popup.locator(rowOf("KO")).click();
  await expect.poll(() => selected(page), DEADLINE).toBe("KO");
  await popup.keyboard.press("ArrowUp");
  await expect.poll(() => selected(page), DEADLINE).toBe("AAPL");

  server.freeze();
  const colours = () => popup.evaluate(() => ["c-name", "c-last .figure"].map((one) => getComputedStyle(document.querySelector(`.ag-row .${one}`) ?? document.body).color));
  await expect.poll(async () => new Set(await colours()).size, DEADLINE).toBe(1);

  await popup.close();
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart", "sales", "stream", "watchlist"]);
  expect(log.errors).toEqual([]);
});

test("a closed panel is subscribed to nothing that only it shows", async () => {
  const { page, server } = await open({ context: WIDE, market: STILL, query: "?list=AAPL,KO" });
  await choose(page, "sales", "Close");
  await expect.poll(() => streams(server.commands, "unsubscribe"), DEADLINE).toEqual(["quotes AAPL"]);
  await choose(page, "chart", "Close");
  await expect.poll(() => streams(server.commands, "unsubscribe"), DEADLINE).toEqual(["quotes AAPL", "trades AAPL", "bars AAPL"]);
  const before = streams(server.commands, "subscribe").length;

  await toggle(page, "chart");
  // Tickers are subscribed to again, for the fields of the chart.
  const added = () => streams(server.commands, "subscribe").slice(before).filter((stream) => !stream.startsWith("tickers "));
  await expect.poll(added, DEADLINE).toEqual(["trades AAPL", "bars AAPL"]);
});

test("a pinned chart keeps its symbol and interval, and the crosshair is on one moment in all charts", async () => {
  const { page } = await open({ context: WIDE, query: "?list=AAPL,TSLA,KO" });
  await toggle(page, "chart-2");
  const symbols = () => page.locator("#board .headline-symbol").allTextContents();
  await page.locator("#panel-chart-2 .chart canvas").first().waitFor();
  await page.locator("#panel-chart-2 .pin").click();
  await page.locator("#panel-chart-2 .intervals label").nth(1).click();
  await page.click(rowOf("TSLA"));
  await expect.poll(symbols, DEADLINE).toEqual(expect.arrayContaining(["TSLA", "AAPL"]));
  await page.locator("#panel-chart-2 .pin").click();
  await expect.poll(symbols, DEADLINE).toEqual(["TSLA", "TSLA"]);
  await page.locator("#panel-chart-2 .intervals label").nth(0).click();

  const legends = () => page.locator("#board .legend").allTextContents();
  const chart = await page.locator("#panel-chart .chart").boundingBox();
  const at = { x: (chart?.x ?? 0) + (chart?.width ?? 0) * 0.4, y: (chart?.y ?? 0) + 100 };
  // Both legends show the bar under the crosshair, which is of one symbol, interval and moment here.
  await expect.poll(async () => {
    await page.mouse.move(at.x, at.y);
    const [one, other] = await legends();
    return one === other && one !== "" && (await page.locator("#panel-chart .headline-last").textContent()) !== /C([\d.,]+)/.exec(one ?? "")?.[1];
  }, DEADLINE).toBe(true);

  await page.locator("#panel-chart-2 .intervals label").nth(2).click();
  await page.locator("#panel-chart-2 .pin").click();
  await page.reload();
  await waitUntilLive(page);
  await page.click(rowOf("KO"));
  await expect.poll(symbols, DEADLINE).toEqual(expect.arrayContaining(["KO", "TSLA"]));
  await expect.poll(() => text(page, "#panel-chart-2 .intervals input:checked + span"), DEADLINE).toBe("1 min");
});

test("stale prices are grey in every panel", async () => {
  const { page, server } = await open({ context: { viewport: { width: 1920, height: 1080 } }, market: STILL, query: "?list=AAPL,KO" });
  for (const id of ["chart-2", "chart-3", "chart-4", "chat"]) await toggle(page, id);
  await choose(page, "chat", "Put on the board");
  await toggle(page, "alerts");
  for (const price of [228, 229, 227]) {
    server.print("AAPL", price);
    await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe(`${price}.00`);
  }
  /** Panels with anything in the colour of a rising or falling price. */
  const coloured = () => page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("span"));
    const [up, down] = ["--up", "--down"].map((name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    });
    probe.remove();
    return [...document.querySelectorAll(".panel")].flatMap((panel) => {
      const nodes = [...panel.querySelectorAll("*")].filter((node) => node.closest(".price-drawing, .sparkline") === null && node.childNodes.length > 0);
      const isColoured = nodes.some((node) => [up, down].includes(getComputedStyle(node).color));
      const isVivid = [...panel.querySelectorAll(".price-drawing, .sparkline")].some((node) => getComputedStyle(node).filter !== "grayscale(1)");
      return isColoured || isVivid ? [panel.id] : [];
    });
  });
  await expect.poll(coloured, DEADLINE).toEqual(expect.arrayContaining(["panel-chart", "panel-chart-4", "panel-sales", "panel-watchlist"]));

  server.freeze();
  await expect.poll(coloured, DEADLINE).toEqual([]);
});

test("the chat can be put on the board and over it again", async () => {
  const { page } = await open({ context: WIDE, query: "?list=AAPL,KO" });
  await page.click("[aria-controls=panel-chat]");
  await choose(page, "chat", "Put on the board");
  await expect.poll(() => panelsOf(page), DEADLINE).toContain("chat");
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => panelsOf(page), DEADLINE).toContain("chat");
  await choose(page, "chat", "Put over the board");
  await expect.poll(() => panelsOf(page), DEADLINE).toEqual(["chart", "sales", "stream", "watchlist"]);
  expect(await page.locator("#side #panel-chat").isVisible()).toBe(true);
});

test.each([["dark", "en-US"], ["light", "zh-CN"]] as const)("the menus and six panels have no accessibility violations: %s, %s", async (colorScheme, locale) => {
  const { page } = await open({ query: "?list=AAPL,KO", context: { ...WIDE, colorScheme, locale, reducedMotion: "reduce" } });
  await page.keyboard.press(" ");
  for (const id of ["chart-2", "chart-3"]) await toggle(page, id);
  await expect.poll(() => page.locator("#board .chart canvas").count(), DEADLINE).toBeGreaterThan(6);
  expect(await violationsOf(page)).toEqual([]);
  await page.click("#panel-chart-2 .panel-menu-button:not(.pin)");
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.click("#panels-button");
  expect(await violationsOf(page)).toEqual([]);
});

test("a wall display has no buttons and a clock with its zone", async () => {
  const { page } = await open({ context: { viewport: { width: 1920, height: 1080 } }, query: "?view=wall&list=AAPL,KO" });
  await expect.poll(() => text(page, ".wall-time"), DEADLINE).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(await text(page, ".wall-zone")).not.toBe("");
  const controls = page.locator("button:visible, select:visible, input:visible:not([type=radio]), [role=separator]:visible");
  expect(await controls.evaluateAll((nodes) => nodes.map((node) => node.outerHTML.slice(0, 80)))).toEqual([]);
  expect(page.url()).toContain("view=wall");
});

test("compact rows show 20 symbols in a window of 1440 by 900", async () => {
  const list = Array.from({ length: 20 }, (_, at) => `T${"ABCDEFGHIJKLMNOPQRST"[at] ?? ""}`).join(",");
  const { page } = await open({ context: WIDE, query: `?list=AAPL,${list}` });
  const seen = () => page.evaluate(() => {
    const bottom = document.querySelector("#watchlist")?.getBoundingClientRect().bottom ?? 0;
    return [...document.querySelectorAll(".ag-row")].filter((row) => row.getBoundingClientRect().bottom <= bottom + 0.5).length;
  });
  const before = await seen();
  await page.click("#settings-button");
  await page.locator("#settings label", { hasText: "Compact" }).click();
  await page.keyboard.press("Escape");
  await expect.poll(seen, DEADLINE).toBeGreaterThanOrEqual(20);
  expect(before).toBeLessThan(15);
});

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

test("on a phone a swipe removes a row, and a short one does not", async () => {
  const { page } = await open({ context: PHONE, market: STILL, query: "?list=AAPL,MSFT,KO" });
  const session = await page.context().newCDPSession(page);
  const swipe = async (symbol: string, distance: number) => {
    // To the middle: the bar at the bottom of the window covers what is there.
    await page.locator(rowOf(symbol)).evaluate((row) => { row.scrollIntoView({ block: "center" }); });
    const box = await page.locator(rowOf(symbol)).boundingBox();
    const [x, y] = [(box?.x ?? 0) + 250, (box?.y ?? 0) + 20];
    await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    for (let step = 1; step <= 5; step += 1) await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [{ x: x - (distance * step) / 5, y }] });
    await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  await swipe("MSFT", 60);
  await expect.poll(() => page.locator(rowOf("MSFT")).evaluate((row) => row.style.translate), DEADLINE).toBe("");
  await swipe("KO", 160);
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "MSFT"]);
  expect(await text(page, "#notice-text")).toContain("KO");
});

test.each([[390, "en-US"], [320, "zh-CN"]] as const)("on a phone of %d pixels targets are 44 pixels high and no shortcuts are listed: %s", async (width, locale) => {
  const { page } = await open({ context: { ...PHONE, locale, viewport: { width, height: 780 } }, market: STILL, query: "?list=AAPL,KO" });
  const small = () => page.locator("button:visible, select:visible, .segments label:visible, input[type=text]:visible").evaluateAll((nodes) =>
    nodes.flatMap((node) => {
      const { width: across, height } = node.getBoundingClientRect();
      // The chart's own handle lies over its scale.
      return (height < 43.5 || across < 43.5) && !node.classList.contains("alert-handle") ? [`${node.outerHTML.slice(0, 80)} ${across} × ${height}`] : [];
    }),
  );
  await expect.poll(small, DEADLINE).toEqual([]);
  expect(await page.locator(".keys:visible, .search kbd:visible").count()).toBe(0);
  await page.locator("#settings-button").tap();
  expect(await page.locator(".key-list").isVisible()).toBe(false);
});
