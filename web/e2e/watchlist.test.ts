import { readFile } from "node:fs/promises";
import type { CDPSession, Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, rowOf, selected, STILL, symbolsOf, text, waitUntilLive } from "./dashboard-page";

/** What users do with the rows of a watchlist: sections, flags, positions, moves, files, the card of the last trade. */

const open = dashboards();

const WIDE = { viewport: { width: 1440, height: 900 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** A list of the form of today, in storage before the page opens. */
async function openList(symbols: readonly string[], options: { readonly sections?: readonly object[]; readonly context?: object } = {}) {
  const opened = await open({ market: STILL, context: { ...WIDE, ...options.context } });
  const lists = JSON.stringify({ shown: "a", lists: [{ id: "a", name: "Mine", symbols, sections: options.sections ?? [] }] });
  await opened.page.evaluate((stored) => { localStorage.setItem("tapecast.lists", stored); }, lists);
  await opened.page.goto(`http://${opened.server.origin}/`);
  await waitUntilLive(opened.page);
  return opened;
}

/** The rows from top to bottom: symbols, and sections as `[name]`. */
const rowsOf = (page: Page) =>
  page.locator(".watchlist .ag-row:not(.ag-row-pinned)").evaluateAll((nodes) =>
    [...new Set(nodes)]
      .sort((a, b) => Number(a.getAttribute("row-index")) - Number(b.getAttribute("row-index")))
      .map((node) => {
        const name = node.querySelector(".section-name")?.textContent;
        return name === undefined ? node.getAttribute("row-id") : `[${name}]`;
      }),
  );

const stored = (page: Page, key: string) => page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? "null") as unknown, `tapecast.${key}`);

const announced = (page: Page) => text(page, ".watchlist-panel > .visually-hidden[role=status]");

const sectionRow = (page: Page, name: string) => page.locator(".watchlist .ag-row", { has: page.locator(".section-name", { hasText: name }) });

const cell = (page: Page, symbol: string, column: string) => text(page, `${rowOf(symbol)} [col-id=${column}]`);

/** Chooses in the menu of the row that has the focus. */
async function chooseInMenu(page: Page, choice: string): Promise<void> {
  await page.keyboard.press("ContextMenu");
  await page.locator(".row-menu .menu-choice", { hasText: choice }).focus();
  await page.keyboard.press("Enter");
}

async function drop(page: Page, name: string, content: string): Promise<void> {
  await page.locator("#watchlist").evaluate((target, { name, content }) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], name));
    for (const type of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }, { name, content });
}

test("Alt and an arrow key move a row, which is announced, kept and undone", async () => {
  const { page } = await openList(["AAPL", "KO", "XOM"]);
  await page.click(rowOf("XOM"));
  await page.keyboard.press("Alt+ArrowUp");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "XOM", "KO"]);
  expect(await announced(page)).toBe("XOM: 2 of 3");
  await page.keyboard.press("Alt+ArrowUp");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "AAPL", "KO"]);
  // The focus went with the row.
  await page.keyboard.press("ArrowDown");
  await expect.poll(() => selected(page), DEADLINE).toBe("AAPL");

  await page.reload();
  await waitUntilLive(page);
  expect(await rowsOf(page)).toEqual(["XOM", "AAPL", "KO"]);
  await page.click(rowOf("XOM"));
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "XOM", "KO"]);
  await page.keyboard.press("Control+z");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "AAPL", "KO"]);
});

test("the mouse drags a row to another place, and Escape leaves it where it was", async () => {
  const { page } = await openList(["AAPL", "KO", "XOM"]);
  const centre = async (symbol: string) => {
    const box = await page.locator(rowOf(symbol)).boundingBox();
    return { x: (box?.x ?? 0) + 60, y: (box?.y ?? 0) + (box?.height ?? 0) / 2, height: box?.height ?? 0 };
  };
  const drag = async (from: string, to: string) => {
    const [start, end] = [await centre(from), await centre(to)];
    await page.mouse.move(start.x, start.y);
    await page.mouse.down();
    await page.mouse.move(end.x, end.y - end.height / 4, { steps: 6 });
    await page.locator(".row-drop-line").waitFor();
  };
  await drag("XOM", "AAPL");
  await page.mouse.up();
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "AAPL", "KO"]);
  expect(await announced(page)).toBe("XOM: 1 of 3");

  await page.locator(rowOf("KO")).click();
  await drag("KO", "XOM");
  await page.keyboard.press("Escape");
  await page.mouse.up();
  expect(await rowsOf(page)).toEqual(["XOM", "AAPL", "KO"]);
  expect(await page.locator(".row-drop-line").count()).toBe(0);
});

test("a list sorted by a column moves no rows, tells why, and returns to its own order", async () => {
  const { page } = await openList(["XOM", "KO", "AAPL"]);
  await page.click(".ag-header-cell[col-id=symbol]");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "KO", "XOM"]);
  await page.click(rowOf("AAPL"));
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toContain("sorted by a column");
  expect(await rowsOf(page)).toEqual(["AAPL", "KO", "XOM"]);
  await page.click("#notice-action");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "KO", "AAPL"]);
});

test("the keyboard adds, renames, folds, moves and removes sections", async () => {
  const { page } = await openList(["AAPL", "KO", "XOM"]);
  await page.click(rowOf("KO"));
  await page.keyboard.press("s");
  await page.keyboard.type("Drinks");
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Drinks]", "KO", "XOM"]);
  await page.click(rowOf("XOM"));
  await page.keyboard.press("s");
  await page.keyboard.type("Energy");
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Drinks]", "KO", "[Energy]", "XOM"]);

  // The new section has the focus.
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Drinks]", "KO", "[Energy]"]);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Drinks]", "KO", "[Energy]", "XOM"]);
  await page.keyboard.press("Alt+ArrowUp");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Energy]", "XOM", "[Drinks]", "KO"]);
  await page.keyboard.press("F2");
  await page.keyboard.type("Oil");
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Oil]", "XOM", "[Drinks]", "KO"]);
  await page.reload();
  await waitUntilLive(page);
  expect(await rowsOf(page)).toEqual(["AAPL", "[Oil]", "XOM", "[Drinks]", "KO"]);

  await page.click(rowOf("AAPL"));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Delete");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "XOM", "[Drinks]", "KO"]);
  await page.click("#notice-action");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "[Oil]", "XOM", "[Drinks]", "KO"]);
});

test("a column sorts within each section, and a click folds a section", async () => {
  const { page } = await openList(["XOM", "KO", "TSLA", "AAPL"], { sections: [{ id: "t", name: "Tech", isFolded: false, at: 2 }] });
  expect(await rowsOf(page)).toEqual(["XOM", "KO", "[Tech]", "TSLA", "AAPL"]);
  await page.click(".ag-header-cell[col-id=symbol]");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO", "XOM", "[Tech]", "AAPL", "TSLA"]);
  await page.click(".ag-header-cell[col-id=symbol]");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "KO", "[Tech]", "TSLA", "AAPL"]);
  await sectionRow(page, "Tech").click();
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM", "KO", "[Tech]"]);
});

test("a flag is set by key and by pointer, filters the list, and is undone", async () => {
  const { page } = await openList(["AAPL", "KO", "XOM"]);
  const flagOf = (symbol: string) => page.locator(`${rowOf(symbol)} .flag-mark`).getAttribute("data-flag");
  await page.click(rowOf("KO"));
  await page.keyboard.press("f");
  await expect.poll(() => flagOf("KO"), DEADLINE).toBe("red");
  expect(await announced(page)).toBe("KO: red circle");
  await page.keyboard.press("f");
  await expect.poll(() => flagOf("KO"), DEADLINE).toBe("orange");
  await page.click(`${rowOf("XOM")} .flag`);
  await page.locator(".flag-choice[aria-label='blue diamond']").click();
  await expect.poll(() => flagOf("XOM"), DEADLINE).toBe("blue");

  await page.click("#list-menu");
  await page.locator(".flag-filters label", { hasText: "blue diamond" }).click();
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["XOM"]);
  await page.keyboard.press("Escape");
  await page.click("#list-filter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "KO", "XOM"]);

  await page.keyboard.press("Control+z");
  await expect.poll(() => flagOf("XOM"), DEADLINE).toBe("none");
  expect(await stored(page, "flags")).toEqual({ KO: "orange" });
});

test("a position is entered in a form at the row, and its profit and the total follow the price", async () => {
  const { page, server } = await openList(["AAPL", "KO", "XOM"]);
  expect(await page.locator(".ag-header-cell[col-id=profit]").count()).toBe(0);
  await page.click(rowOf("AAPL"));
  await page.keyboard.press("p");
  await page.keyboard.type("none");
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, ".position-form [role=alert]"), DEADLINE).not.toBe("");
  await page.locator(".position-form input").first().fill("10");
  await page.locator(".position-form input").nth(1).fill("$200");
  await page.keyboard.press("Enter");
  await page.locator(".ag-header-cell[col-id=profit]").waitFor();
  server.print("AAPL", 210);
  await expect.poll(() => cell(page, "AAPL", "profit"), DEADLINE).toBe("+100.00");
  expect(await cell(page, "AAPL", "value")).toBe("2,100.00");
  expect(await cell(page, "AAPL", "profitPercent")).toBe("+5.00%");

  // The focus returned to the row.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("p");
  await page.keyboard.type("-5");
  await page.keyboard.press("Tab");
  await page.keyboard.type("70");
  await page.keyboard.press("Enter");
  server.print("KO", 60);
  await expect.poll(() => cell(page, "KO", "profit"), DEADLINE).toBe("+50.00");
  expect(await cell(page, "KO", "value")).toBe("−300.00");
  const total = (column: string) => text(page, `.ag-row-pinned [col-id=${column}]`);
  await expect.poll(() => total("profit"), DEADLINE).toBe("+150.00");
  expect([await total("symbol"), await total("value"), await total("profitPercent")]).toEqual(["Total", "1,800.00", "+6.38%"]);

  expect(JSON.stringify(server.commands)).not.toMatch(/quantity|cost|position/);
  expect(page.url()).not.toContain("200");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect.poll(() => page.locator(".ag-row-pinned").count(), DEADLINE).toBe(0);
  await expect.poll(() => page.locator(".ag-header-cell[col-id=profit]").count(), DEADLINE).toBe(0);
});

test("a dropped file adds symbols, sections and positions, tells what it did not understand, and is undone", async () => {
  const { page } = await openList(["KO"]);
  await drop(page, "list.txt", "###Tech,NASDAQ:AAPL,NASDAQ:NOPE,CME:\"x\"\n###Oil,NYSE:XOM");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO", "[Tech]", "AAPL", "[Oil]", "XOM"]);
  expect(await text(page, "#notice-text")).toBe('Added AAPL, XOM. Unknown symbols: NOPE. Not understood: CME:"x".');
  await page.click("#notice-action");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO"]);

  await drop(page, "list.csv", "symbol,quantity,cost\nMSFT,3,400\nKO,-2,50\n");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO", "MSFT"]);
  expect(await stored(page, "positions")).toEqual({ KO: { quantity: -2, cost: 50 }, MSFT: { quantity: 3, cost: 400 } });
  await page.keyboard.press("Control+z");
  await expect.poll(() => stored(page, "positions"), DEADLINE).toEqual({});
  expect(await rowsOf(page)).toEqual(["KO"]);
});

test("an exported list is imported again as it was", async () => {
  const { page } = await openList(["KO", "AAPL", "XOM"], { sections: [{ id: "t", name: "Tech", isFolded: false, at: 1 }] });
  const exported = async (choice: string) => {
    await page.click("#list-menu");
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".list-menu .menu-choice", { hasText: choice }).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  expect(await exported("TradingView")).toEqual({ name: "Mine.txt", text: "NYSE:KO,###Tech,NASDAQ:AAPL,NYSE:XOM\n" });
  const csv = await exported("CSV");
  expect(csv).toEqual({ name: "Mine.csv", text: "symbol,quantity,cost,section\r\nKO,,,\r\nAAPL,,,Tech\r\nXOM,,,Tech\r\n" });

  await page.click("#list-new");
  await page.keyboard.press("Enter");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual([]);
  await page.locator("#list-file").setInputFiles({ name: csv.name, mimeType: "text/csv", buffer: Buffer.from(csv.text) });
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO", "[Tech]", "AAPL", "XOM"]);
});

test("the card of the last trade opens by the pointer and by a key, and ends its subscription", async () => {
  const { page, server } = await openList(["AAPL", "KO"]);
  server.print("KO", 61.5, 20);
  server.setTrading("KO", "halted");
  const line = (name: string) => text(page, `.trade-card .trade-${name} dd`);
  await page.hover(`${rowOf("KO")} .c-name`);
  await page.locator(".trade-card").waitFor();
  await expect.poll(() => line("size"), DEADLINE).toBe("20");
  expect([await line("price"), await line("conditions"), await line("venue"), await line("tape")]).toEqual(["61.50", "I: odd lot", "IEX", "C: listed at Nasdaq"]);
  expect(await line("bid")).toMatch(/^61\.\d\d × [\d,]+$/);
  expect(await line("halt")).toBe("Trading halted: News Pending");
  await page.mouse.move(2, 2);
  await page.locator(".trade-card").waitFor({ state: "hidden" });
  await expect.poll(() => server.commands.filter(({ action, trades }) => action === "unsubscribe" && String(trades) === "KO").length, DEADLINE).toBe(1);

  await page.click(rowOf("AAPL"));
  await page.mouse.move(2, 2);
  await page.keyboard.press("i");
  await page.locator(".trade-card").waitFor();
  expect(await announced(page)).toContain("AAPL · Apple Inc.");
  await page.keyboard.press("Escape");
  await page.locator(".trade-card").waitFor({ state: "hidden" });
});

test("lists of earlier versions load, and a shared link names symbols only", async () => {
  const { page, server } = await open({ market: STILL, context: { ...WIDE, permissions: ["clipboard-read", "clipboard-write"] } });
  await page.evaluate(() => { localStorage.setItem("tapecast.lists", '{"shown":1,"lists":[{"name":"one","symbols":["AAPL"]},{"name":"two","symbols":["KO","XOM"]}]}'); });
  await page.goto(`http://${server.origin}/`);
  await waitUntilLive(page);
  expect(await rowsOf(page)).toEqual(["KO", "XOM"]);
  await page.click(rowOf("XOM"));
  await page.keyboard.press("s");
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["KO", "[New section]", "XOM"]);
  await page.click(rowOf("KO"));
  await page.keyboard.press("f");
  await page.click("#settings-button");
  await page.click("#share");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), DEADLINE).toBe(`http://${server.origin}/?symbol=KO&interval=1&list=KO,XOM`);
});

/** A finger on a row. */
async function finger(page: Page, session: CDPSession, symbol: string) {
  // To the middle: the bar at the bottom of the window covers what is there.
  await page.locator(rowOf(symbol)).evaluate((row) => { row.scrollIntoView({ block: "center" }); });
  const box = await page.locator(rowOf(symbol)).boundingBox();
  const [x, y] = [(box?.x ?? 0) + 200, (box?.y ?? 0) + 20];
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", dx = 0, dy = 0) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: x + dx, y: y + dy }] });
  return { touch, height: box?.height ?? 0 };
}

test("the removal by a swipe is undone by a tap on the notice", async () => {
  const { page } = await openList(["AAPL", "MSFT", "KO"], { context: PHONE });
  const { touch } = await finger(page, await page.context().newCDPSession(page), "KO");
  await touch("touchStart");
  for (let step = 1; step <= 5; step += 1) await touch("touchMove", -32 * step);
  await touch("touchEnd");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["AAPL", "MSFT"]);

  // The browser takes a tap right after a fast swipe for a part of it, so that it is no click.
  const undo = page.locator("#notice-action");
  await expect.poll(async () => {
    if (await undo.isVisible()) await undo.tap();
    return await rowsOf(page);
  }, DEADLINE).toEqual(["AAPL", "MSFT", "KO"]);
});

test("on a phone a long touch opens the menu of a row, and a finger that holds it drags it", async () => {
  const { page } = await openList(["AAPL", "MSFT", "KO"], { context: PHONE });
  const session = await page.context().newCDPSession(page);
  const first = await finger(page, session, "MSFT");
  await first.touch("touchStart");
  await page.locator(`${rowOf("MSFT")}[data-lifted]`).waitFor();
  await first.touch("touchEnd");
  await page.locator(".row-menu").waitFor();
  const small = await page.locator(".row-menu button").evaluateAll((nodes) => nodes.filter((node) => node.getBoundingClientRect().height < 43.5 || node.getBoundingClientRect().width < 43.5).length);
  expect(small).toBe(0);
  await page.locator(".row-menu .menu-choice", { hasText: "Move up" }).tap();
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["MSFT", "AAPL", "KO"]);

  const second = await finger(page, session, "KO");
  await second.touch("touchStart");
  await page.locator(`${rowOf("KO")}[data-lifted]`).waitFor();
  for (let step = 1; step <= 6; step += 1) await second.touch("touchMove", 0, (-second.height * 1.2 * step) / 6);
  await second.touch("touchEnd");
  await expect.poll(() => rowsOf(page), DEADLINE).toEqual(["MSFT", "KO", "AAPL"]);
});

test.each([["dark", "en-US"], ["light", "zh-CN"]] as const)("sections, flags, positions and their menus have no accessibility violations: %s, %s", async (colorScheme, locale) => {
  const { page } = await openList(["KO", "AAPL", "XOM"], { sections: [{ id: "t", name: "Tech", isFolded: false, at: 1 }], context: { colorScheme, locale, reducedMotion: "reduce" } });
  await page.evaluate(() => {
    localStorage.setItem("tapecast.flags", '{"AAPL":"red","KO":"purple"}');
    localStorage.setItem("tapecast.positions", '{"AAPL":{"quantity":-10,"cost":300}}');
  });
  await page.reload();
  await waitUntilLive(page);
  await page.keyboard.press(" ");
  expect(await violationsOf(page)).toEqual([]);
  await page.click(rowOf("AAPL"));
  await chooseInMenu(page, locale === "en-US" ? "Position" : "持仓");
  await page.locator(".position-form").waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("ContextMenu");
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("i");
  expect(await violationsOf(page)).toEqual([]);
  await page.click("#list-menu");
  expect(await violationsOf(page)).toEqual([]);
});
