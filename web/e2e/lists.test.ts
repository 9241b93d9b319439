import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { dashboards, DEADLINE, lastOf, rowOf, selected, symbolsOf, text, waitUntilLive } from "./dashboard-page";

/** The user's lists are not lost: undo, several tabs, addresses, the clipboard. */

const open = dashboards();

const listNames = (page: Page) => page.locator("#lists option").allTextContents();
const shownList = (page: Page) => text(page, "#lists option:checked");

/** Creates a list with these symbols through the page. */
async function createList(page: Page, name: string, symbols: string): Promise<void> {
  await page.click("#list-new");
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
  await expect.poll(() => shownList(page), DEADLINE).toBe(name);
  await page.locator("#search").fill(symbols);
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await symbolsOf(page)).join(), DEADLINE).toBe(symbols.replaceAll(" ", ""));
  await page.keyboard.press("Escape");
}

const paste = (page: Page, selector: string, pasted: string) =>
  page.locator(selector).evaluate((target, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, pasted);

test("a removed symbol returns to its place by the notice or by Ctrl+Z", async () => {
  const { page } = await open();
  await createList(page, "Mine", "AAPL,KO,XOM");
  await page.click(rowOf("KO"));

  await page.keyboard.press("Delete");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "XOM"]);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("Removed KO.");
  await page.click("#notice-action");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "KO", "XOM"]);
  await expect.poll(() => selected(page), DEADLINE).toBe("KO");
  await page.locator("#notice").waitFor({ state: "hidden" });

  await page.click(rowOf("XOM"));
  await page.keyboard.press("Delete");
  await page.keyboard.press("Delete");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL"]);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "KO", "XOM"]);
});

test("a deleted list returns with its name and symbols", async () => {
  const { page } = await open();
  await createList(page, "Mine", "KO,XOM");

  await page.click("#list-delete");
  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list"]);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("Removed Mine.");
  await page.keyboard.press("Control+z");

  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list", "Mine"]);
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM"]);
});

test("two tabs keep each other's changes, each with its own list", async () => {
  const { page } = await open();
  await createList(page, "Mine", "KO,XOM");
  const other = await page.context().newPage();
  await other.goto(page.url());
  await waitUntilLive(other);
  await createList(other, "Other", "AAPL");
  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list", "Mine", "Other"]);
  await other.selectOption("#lists", "Mine");
  await expect.poll(() => symbolsOf(other), DEADLINE).toEqual(["KO", "XOM"]);

  await paste(page, "body", "MSFT");
  await paste(other, "body", "INTC");

  for (const tab of [page, other]) {
    await expect.poll(() => symbolsOf(tab).then((symbols) => symbols.sort()), DEADLINE).toEqual(["INTC", "KO", "MSFT", "XOM"]);
  }
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => symbolsOf(page).then((symbols) => symbols.sort()), DEADLINE).toEqual(["INTC", "KO", "MSFT", "XOM"]);
});

test("settings that two tabs change one after the other are both kept", async () => {
  const { page } = await open();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await waitUntilLive(other);

  await page.keyboard.press("t");
  await expect.poll(() => other.locator("#strip").isHidden(), DEADLINE).toBe(true);
  await other.locator("#refresh").fill("5");
  await page.reload();
  await waitUntilLive(page);

  await expect.poll(() => page.locator("#strip").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => page.locator("#refresh").inputValue(), DEADLINE).toBe("5");
});

test("a bookmark shows what the list has become, and makes no other list", async () => {
  const { page } = await open();
  await createList(page, "Mine", "KO,XOM");
  const bookmark = page.url();
  expect(bookmark).toMatch(/[?&]watchlist=\w+/);
  await paste(page, "body", "AAPL");
  await page.keyboard.press("[");
  await expect.poll(() => shownList(page), DEADLINE).toBe("My list");

  await page.goto(bookmark);
  await waitUntilLive(page);

  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list", "Mine"]);
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM", "AAPL"]);
});

test("a shared list is shown and not kept, unless the visitor keeps it", async () => {
  const { page, server } = await open({ query: "?list=KO,XOM" });
  await expect.poll(() => shownList(page), DEADLINE).toBe("Shared (not saved)");
  await page.goto(`http://${server.origin}/`);
  await waitUntilLive(page);
  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list"]);

  await page.goto(`http://${server.origin}/?list=KO,XOM&symbol=XOM`);
  await waitUntilLive(page);
  await page.click("#list-keep");
  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list", "Shared"]);
  await expect.poll(() => selected(page), DEADLINE).toBe("XOM");
  await page.locator("#list-keep").waitFor({ state: "hidden" });
  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM"]);
});

test("a symbol in an address is not written into the visitor's list", async () => {
  const { page, server } = await open({ query: "?symbol=T001" });
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["T001"]);

  await page.goto(`http://${server.origin}/`);
  await waitUntilLive(page);
  await expect.poll(() => listNames(page), DEADLINE).toEqual(["My list"]);
  await expect.poll(async () => (await symbolsOf(page)).includes("T001"), DEADLINE).toBe(false);
});

test("the link to a view names the symbols of the list", async () => {
  const { page, server } = await open({ context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await createList(page, "Mine", "KO,XOM");
  await page.click("#settings-button");
  await page.click("#share");

  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), DEADLINE).toBe(`http://${server.origin}/?symbol=KO&interval=1&list=KO,XOM`);
});

test("Ctrl+C copies the selected row, and pasted symbols are added", async () => {
  const { page } = await open({ context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await createList(page, "Mine", "KO,XOM");
  await expect.poll(() => text(page, lastOf("XOM")), DEADLINE).toMatch(/\d/);
  await page.click(rowOf("XOM"));
  await page.keyboard.press("Control+c");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), DEADLINE).toMatch(/^XOM\tExxon Mobil Corporation\t\d+(\.\d+)?\t/);

  await page.evaluate(() => navigator.clipboard.writeText("AAPL, tsla NOPE"));
  await page.keyboard.press("Control+v");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM", "AAPL", "TSLA"]);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("Added AAPL, TSLA. Unknown symbols: NOPE.");
  await page.keyboard.press("Control+z");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM"]);

  await page.locator("#search").focus();
  await page.keyboard.press("Control+v");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["KO", "XOM", "AAPL", "TSLA"]);
});
