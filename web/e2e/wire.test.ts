import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe";
import { dashboards, DEADLINE, STILL, text, waitUntilLive } from "./dashboard-page";
import { realForFile } from "./real";

/** The wire panel, in front of the fake server, and of the real one where its answers matter. */

const open = dashboards();
const PANEL = "#panel-wire";
const BUTTON = `[aria-controls=panel-wire]`;
const LIST = "?list=AAPL,MSFT,KO";
const BOX = `${PANEL} textarea`;
const ROW = `${PANEL} .wire-row:visible`;

const outcome = (page: Page) => text(page, `${PANEL} .wire-outcome`);
const rows = (page: Page) => page.locator(ROW).evaluateAll((nodes) => nodes.map((node) => [...node.querySelectorAll(".wire-arrow, .wire-kinds, .wire-mark")].map(({ textContent }) => textContent).join(" ").trim()));
const tree = (page: Page) => page.locator(`${PANEL} .wire-tree`).innerText();
const states = (page: Page) => page.locator(`${PANEL} .wire-states b`).allTextContents();
const count = (page: Page) => text(page, `${PANEL} .wire-count`);

/** The number of the command that the outcome is of. */
const commandOf = (sentence: string | null) => /^#(\d+)/.exec(sentence ?? "")?.[1] ?? "none";

async function openWire(page: Page): Promise<void> {
  await page.click(BUTTON);
  await page.locator(BOX).waitFor();
}

/** Fills the send box from a template and sends it. */
async function sendTemplate(page: Page, template: string): Promise<string> {
  await page.selectOption(`${PANEL} .wire-tools select`, template);
  const message = await page.inputValue(BOX);
  await page.press(BOX, "Control+Enter");
  return message;
}

/** Clicks a button that copies, and returns what it copied. */
async function copied(page: Page, name: string): Promise<string> {
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: (text: string) => Promise.resolve(Object.assign(window, { copiedText: text })) } });
  });
  await page.getByRole("button", { name, exact: true }).click();
  await expect.poll(() => outcome(page), DEADLINE).toContain("Copied");
  return page.evaluate(() => (window as unknown as { copiedText: string }).copiedText);
}

test("a command from a template is sent on the page's connection, and its answer is marked and shown", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await page.keyboard.press("w");
  await page.locator(BOX).waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName), DEADLINE).toBe("TEXTAREA");
  const message = await sendTemplate(page, "subscribe");

  expect(JSON.parse(message)).toEqual({ action: "subscribe", quotes: ["MSFT"], x: { id: "wire-1", snapshot: true } });
  await expect.poll(() => outcome(page), DEADLINE).toMatch(/^#1 answered after [\d.]+ ms$/);
  expect(server.commands).toContainEqual(JSON.parse(message));
  await expect.poll(() => rows(page), DEADLINE).toContainEqual("↑ subscribe #1");
  expect(await rows(page)).toContainEqual(expect.stringMatching(/^↓ subscription ↩ #1 · [\d.]+ ms$/));
  expect(await tree(page)).toContain('T: "subscription"');
  expect(await states(page)).toEqual(["OPEN"]);
  expect(await text(page, `${PANEL} .wire-address code`)).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/websocket\/connect\?userId=\d+$/);

  await page.keyboard.press("Escape");
  expect(await page.locator(PANEL).isHidden()).toBe(true);
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-controls"))).toBe("panel-wire");
});

test("a malformed command is answered by an error, which is shown", async () => {
  const { page } = await open({ market: STILL, query: LIST });
  await openWire(page);
  await sendTemplate(page, "malformed");
  await expect.poll(() => outcome(page), DEADLINE).toMatch(/^#1 refused after [\d.]+ ms: 400 invalid syntax: not JSON$/);
  expect(await tree(page)).toContain("code: 400");
  expect(await page.locator("#notice").isHidden()).toBe(true);
});

test("the secret of an auth command is in no part of the log and of no copied text", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await openWire(page);
  await page.fill(BOX, '{"action":"auth","key":"desk","secret":"hunter2"}');
  await page.press(BOX, "Control+Enter");
  await expect.poll(() => outcome(page), DEADLINE).toContain("#1 answered");
  expect(server.commands).toContainEqual({ action: "auth", key: "desk", secret: "hunter2" });

  await page.selectOption(`${PANEL} .wire-filters select >> nth=0`, "out");
  await page.locator(ROW).first().click();
  await expect.poll(() => tree(page), DEADLINE).toContain('secret: "•••"');
  expect(await copied(page, "Copy")).toBe('{"action":"auth","key":"desk","secret":"•••"}');
  for (const name of ["wscat", "Console", "Python"]) {
    const program = await copied(page, name);
    expect(program).toContain("desk");
    expect(program).toContain("YOUR_SECRET");
    expect(program).not.toContain("hunter2");
  }
  expect(await page.evaluate(() => document.body.innerHTML)).not.toContain("hunter2");
});

test("the same is tried against /echo, on a connection of its own with its own states", async () => {
  const { page, log } = await open({ market: STILL, query: LIST });
  await openWire(page);
  await page.getByLabel("/echo").check({ force: true });
  await expect.poll(() => states(page), DEADLINE).toEqual(["CONNECTING", "OPEN"]);
  await page.fill(BOX, '{"a":[1,2.50]}');
  await page.press(BOX, "Control+Enter");
  await expect.poll(() => outcome(page), DEADLINE).toMatch(/^#1 answered after/);
  expect((await rows(page)).map((row) => row.replace(/ · .*/, ""))).toEqual(["↓ – ↩ #1", "↑ – #1"]);
  expect(await tree(page)).toContain("2.50");

  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  await expect.poll(() => states(page), DEADLINE).toEqual(["CONNECTING", "OPEN", "CLOSING", "CLOSED"]);
  expect(await text(page, `${PANEL} .wire-states li:last-child span`)).toContain("1000");
  await page.press(BOX, "Control+Enter");
  await expect.poll(() => outcome(page), DEADLINE).toBe("#2 not sent: not connected");

  await page.getByLabel("This page").check({ force: true });
  await expect.poll(() => states(page), DEADLINE).toEqual(["OPEN"]);
  expect(log.sockets).toBe(2);
  expect(log.errors).toEqual([]);
});

test("messages are filtered by kind, symbol and direction, chosen by keys, and unfolded", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await openWire(page);
  for (const price of [231, 232]) {
    server.print("AAPL", price);
    server.print("KO", price);
  }
  server.setTrading("KO", "halted");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBeGreaterThan(1);
  await expect.poll(async () => (await rows(page)).join(), DEADLINE).toContain("s");

  const kind = page.locator(`${PANEL} .wire-filters select >> nth=1`);
  await expect.poll(() => kind.locator("option").allTextContents(), DEADLINE).toEqual(expect.arrayContaining(["All kinds (T)", "k", "s", "t"]));
  await kind.selectOption("s");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBe(1);
  await page.fill(`${PANEL} .wire-filters input`, "aapl");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBe(0);
  await kind.selectOption("");
  await page.fill(`${PANEL} .wire-filters input`, "ko");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBeGreaterThan(0);
  expect(await count(page)).toMatch(/^\d+ of \d+$/);

  await page.locator(`${PANEL} .wire-list`).focus();
  await page.keyboard.press("End");
  await expect.poll(() => page.locator(`${PANEL} .wire-list`).getAttribute("aria-activedescendant"), DEADLINE).toMatch(/^wire-row-\d+$/);
  expect(await page.locator(`${ROW}[aria-selected=true]`).count()).toBe(1);
  expect(await tree(page)).not.toContain('"AAPL"');
  const summary = page.locator(`${PANEL} .wire-tree summary`).first();
  await summary.focus();
  const before = await page.locator(`${PANEL} .wire-branch[open]`).count();
  await page.keyboard.press(" ");
  await expect.poll(() => page.locator(`${PANEL} .wire-branch[open]`).count(), DEADLINE).not.toBe(before);
  expect(await page.locator("#pause").getAttribute("aria-pressed")).toBe("false");
});

test("a paused list stands still, and its button tells of what is new", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await openWire(page);
  await sendTemplate(page, "pace");
  await expect.poll(() => outcome(page), DEADLINE).toContain("answered");
  const pause = page.locator(`${PANEL} .wire-filters button`).first();
  await pause.click();
  const before = await rows(page);
  server.print("AAPL", 240);
  await expect.poll(() => pause.textContent(), DEADLINE).toMatch(/^[1-9]\d* new$/);
  expect(await rows(page)).toEqual(before);
  await pause.click();
  await expect.poll(() => pause.textContent(), DEADLINE).toBe("Pause");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBeGreaterThan(before.length);
});

test("a lost connection and its return are on the time line, with the code of the close", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  await openWire(page);
  server.closeAll(1012, "restart");
  await expect.poll(() => states(page), DEADLINE).toEqual(["OPEN", "CLOSED", "CONNECTING", "OPEN"]);
  expect(await text(page, `${PANEL} .wire-states li:nth-child(2) span`)).toMatch(/ · 1012 /);
});

test("while the panel is closed nothing is kept or drawn, and its code is not even loaded before it is opened", async () => {
  const { page, server } = await open({ market: STILL, query: LIST });
  const scripts = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /wire-(view|store)/.test(name)).length);
  expect([await page.locator(PANEL).count(), await scripts()]).toEqual([0, 0]);
  await openWire(page);
  expect(await scripts()).toBe(2);
  await page.getByLabel("/echo").check({ force: true });
  await expect.poll(() => states(page), DEADLINE).toEqual(["CONNECTING", "OPEN"]);
  await page.fill(BOX, "secret text");
  await page.press(BOX, "Control+Enter");
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBe(2);

  await page.click(BUTTON);
  expect(await page.locator(PANEL).isHidden()).toBe(true);
  expect(await page.locator(`${PANEL} :is(.wire-row, .wire-leaf, .wire-branch, .wire-states li)`).count()).toBe(0);
  for (const price of [231, 232, 233]) server.print("AAPL", price);
  await expect.poll(() => text(page, ".headline-last"), DEADLINE).toContain("233");
  expect(await page.locator(`${PANEL} .wire-row`).count()).toBe(0);

  await openWire(page);
  expect(await page.inputValue(BOX)).toBe("");
  await expect.poll(() => states(page), DEADLINE).toEqual(["OPEN"]);
  expect(await rows(page)).toEqual([]);
});

test("what arrives is only ever text", async () => {
  const { page, log } = await open({ market: STILL, query: LIST });
  await openWire(page);
  await page.getByLabel("/echo").check({ force: true });
  await expect.poll(() => states(page), DEADLINE).toEqual(["CONNECTING", "OPEN"]);
  for (const message of ['<img src=x onerror="document.title=1">', '{"T":"<b>x</b>","S":"<script>1</script>","<i>":"\\u202e<u>"}']) {
    await page.fill(BOX, message);
    await page.press(BOX, "Control+Enter");
    await expect.poll(() => outcome(page), DEADLINE).toContain("answered");
  }
  await expect.poll(() => tree(page), DEADLINE).toContain("\\u202e<u>");
  expect(await page.locator(`${PANEL} :is(img, script, b:not(.wire-states b), i, u)`).count()).toBe(0);
  expect([log.errors, log.violations]).toEqual([[], []]);
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the wire has no accessibility violations and overflows nothing: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, server } = await open({ market: STILL, query: LIST, context: { colorScheme, locale, viewport: { width, height: 740 } } });
  await openWire(page);
  for (const template of ["subscribe", "malformed"]) await sendTemplate(page, template);
  server.print("AAPL", 501);
  await expect.poll(() => outcome(page), DEADLINE).toMatch(/400/);
  await expect.poll(async () => (await rows(page)).length, DEADLINE).toBeGreaterThan(4);

  expect(await violationsOf(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  expect(await page.locator(`${PANEL} .wire-body`).evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  await page.getByLabel("/echo").check({ force: true });
  await expect.poll(() => states(page), DEADLINE).toEqual(["CONNECTING", "OPEN"]);
  expect(await violationsOf(page)).toEqual([]);
});

const real = realForFile();

test("with the real server: each template, on JSON, MessagePack and /echo", async () => {
  const page = await real.browser.open(`${real.server.origin}/${LIST}`);
  await waitUntilLive(page);
  await openWire(page);
  expect(await text(page, `${PANEL} .wire-agreed div:nth-child(3) dd`)).toContain("permessage-deflate");
  for (const target of ["This page", "MessagePack"]) {
    await page.getByLabel(target, { exact: true }).check({ force: true });
    await expect.poll(async () => (await states(page)).at(-1), DEADLINE).toBe("OPEN");
    for (const template of ["subscribe", "unsubscribe", "pace", "resume", "auth"]) {
      const before = commandOf(await outcome(page));
      await sendTemplate(page, template);
      await expect.poll(() => outcome(page), DEADLINE).toMatch(new RegExp(`^#(?!${before} )\\d+ answered after`));
    }
    await sendTemplate(page, "malformed");
    await expect.poll(() => outcome(page), DEADLINE).toMatch(/^#\d+ refused after .* 400 /);
  }
  await expect.poll(() => page.locator(`${PANEL} .wire-facts`).textContent(), DEADLINE).toContain("MessagePack");
  await page.getByLabel("/echo").check({ force: true });
  await expect.poll(async () => (await states(page)).at(-1), DEADLINE).toBe("OPEN");
  await sendTemplate(page, "malformed");
  await expect.poll(() => outcome(page), DEADLINE).toMatch(/^#\d+ answered after/);
  await page.context().close();
});
