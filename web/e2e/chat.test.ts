import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { violationsOf } from "./axe";
import { recordPage } from "./browser";
import { dashboards, DEADLINE, selected, STILL, text, waitUntilLive } from "./dashboard-page";
import { realForFile } from "./real";

/** Chat rooms: between two pages in front of the real server, and every state in front of the fake one. */

const open = dashboards();
const LOBBY = "[data-topic='chat:lobby']";
const BUTTON = "[aria-controls=panel-chat]";
const LIST = "?list=AAPL,MSFT,KO";

const real = realForFile();

/** A page of the real server whose user has this name, with the chat closed. */
async function visitor(name: string): Promise<Page> {
  const page = await real.browser.page();
  onTestFinished(async () => {
    await page.context().close();
  });
  await recordPage(page);
  await page.addInitScript((name) => {
    localStorage.setItem("tapecast.name", name);
  }, name);
  await page.goto(`${real.server.origin}/${LIST}`);
  await waitUntilLive(page);
  return page;
}

async function openRoom(page: Page, room: string): Promise<void> {
  await page.click(BUTTON);
  await page.click(room);
  await expect.poll(() => page.locator(".chat-text").isEnabled(), DEADLINE).toBe(true);
}

async function say(page: Page, words: string): Promise<void> {
  await page.fill(".chat-text", words);
  await page.press(".chat-text", "Enter");
}

const lines = (page: Page) => page.locator(".chat-line").evaluateAll((nodes) => nodes.map((node) => `${node.children[1]?.textContent ?? ""}: ${node.children[2]?.textContent ?? ""}`));
/** The accessible name of the panel's button. */
const buttonOf = (page: Page) => page.locator(BUTTON).evaluate((button) => [...button.querySelectorAll("span")].map((span) => span.textContent).join(" ").trim());
const notes = (page: Page) => page.locator(".chat-note").allTextContents();
const status = (page: Page) => text(page, ".chat-status");
const empty = (page: Page) => page.locator(".chat-empty").allTextContents();

test("two pages talk in the lobby and in the room of a symbol, with names, presence, unread counts and history", async () => {
  const [anna, ben] = [await visitor("anna"), await visitor("ben")];
  await openRoom(anna, LOBBY);
  await say(anna, "hi <img src=x onerror=alert(1)>");
  await expect.poll(() => lines(anna), DEADLINE).toEqual(["You: hi <img src=x onerror=alert(1)>"]);
  expect(await anna.inputValue(".chat-text")).toBe("");

  // Ben's panel is closed: he is told how many messages he has not seen.
  await expect.poll(() => buttonOf(ben), DEADLINE).toBe("Chat 1 unread");
  await openRoom(ben, LOBBY);
  await expect.poll(() => lines(ben), DEADLINE).toEqual(["anna: hi <img src=x onerror=alert(1)>"]);
  expect(await ben.locator(".chat-log img").count()).toBe(0);
  await expect.poll(() => buttonOf(ben), DEADLINE).toBe("Chat");
  await expect.poll(() => text(ben, ".chat-presence"), DEADLINE).toBe("2 here: anna, ben");

  // Each symbol has a room of its own, and the tab of the lobby counts meanwhile.
  await ben.click("[data-topic='chat:AAPL']");
  await say(ben, "apple");
  await expect.poll(() => lines(ben), DEADLINE).toEqual(["You: apple"]);
  await say(anna, "still in the lobby");
  await expect.poll(() => text(ben, LOBBY), DEADLINE).toBe("Lobby (1)");

  // A late page gets the history.
  const eve = await visitor("eve");
  await openRoom(eve, LOBBY);
  await expect.poll(() => lines(eve), DEADLINE).toEqual(["anna: hi <img src=x onerror=alert(1)>", "anna: still in the lobby"]);
  expect(await buttonOf(eve)).toBe("Chat");
});

test("a script is shown as text, not run, whoever sends it", async () => {
  const { page, server: fake, log } = await open({ market: STILL, query: LIST });
  await openRoom(page, LOBBY);
  const script = "<script>document.title='run'</script><b>bold</b>";
  fake.publish("chat:lobby", { text: script }, script);
  fake.publish("chat:lobby", { markup: script });

  await expect.poll(() => lines(page), DEADLINE).toEqual([`${script}: ${script}`, `Anonymous: ${JSON.stringify({ markup: script })}`]);
  expect(await page.locator("#side script, #side .chat-words *").count()).toBe(0);
  expect(await page.title()).not.toBe("run");
  expect(log.violations).toEqual([]);
});

test("a message that is taken back vanishes with a note", async () => {
  const { page, server: fake } = await open({ market: STILL, query: LIST });
  await openRoom(page, LOBBY);
  fake.publish("chat:lobby", { text: "secret" }, "anna");
  await expect.poll(() => lines(page), DEADLINE).toEqual(["anna: secret"]);
  fake.takeBack("chat:lobby", 1);

  await expect.poll(() => lines(page), DEADLINE).toEqual([]);
  expect((await notes(page)).join()).toMatch(/A message was taken back$/);
});

test("after a lost connection the messages of in between arrive", async () => {
  const { page, server: fake } = await open({ market: STILL, query: LIST });
  await openRoom(page, LOBBY);
  fake.publish("chat:lobby", { text: "one" }, "anna");
  await expect.poll(() => lines(page), DEADLINE).toEqual(["anna: one"]);
  fake.dropAll();
  fake.publish("chat:lobby", { text: "two" }, "anna");

  await expect.poll(() => lines(page), DEADLINE).toEqual(["anna: one", "anna: two"]);
});

test("refusals are told in plain words, and what was written stays", async () => {
  const { page } = await open({ market: STILL, query: LIST });
  await openRoom(page, LOBBY);
  await say(page, "x".repeat(5_000));
  await expect.poll(() => status(page), DEADLINE).toBe("Not sent: the message is too long");
  expect((await page.inputValue(".chat-text")).length).toBe(5_000);

  for (const word of ["1", "2", "3", "4", "5"]) {
    await say(page, word);
    await expect.poll(async () => (await lines(page)).at(-1), DEADLINE).toBe(`You: ${word}`);
  }
  await say(page, "6");
  await expect.poll(() => status(page), DEADLINE).toBe("Not sent: too many messages. Try again in 3 s");
});

test("a server on which nobody may write says so, and its messages are shown", async () => {
  const { page, server: fake } = await open({ market: { ...STILL, topics: "readOnly" }, query: LIST });
  await openRoom(page, LOBBY);
  fake.publish("chat:lobby", { text: "news" }, "desk");
  await say(page, "hi");

  await expect.poll(() => status(page), DEADLINE).toBe("On this server you can read here, but not write");
  expect(await page.locator(".chat-text").isDisabled()).toBe(true);
  await expect.poll(() => lines(page), DEADLINE).toEqual(["desk: news"]);
});

test("a server without topics says so", async () => {
  const { page } = await open({ market: { ...STILL, topics: "none" }, query: LIST });
  await page.click(BUTTON);

  await expect.poll(() => empty(page), DEADLINE).toEqual(["This server has no chat"]);
  expect(await page.locator(".chat-text").isDisabled()).toBe(true);
});

test("the room follows the selected symbol, by the keyboard too, and the board does not move", async () => {
  const { page } = await open({ market: STILL, query: LIST });
  const boxes = () => page.locator(".panel:not(.side-panel)").evaluateAll((panels) => panels.map((panel) => JSON.stringify(panel.getBoundingClientRect())));
  const before = await boxes();
  await page.keyboard.press("c");
  await expect.poll(() => page.evaluate(() => document.activeElement?.className), DEADLINE).toBe("chat-text");
  expect(await boxes()).toEqual(before);

  await page.click("[data-topic='chat:AAPL']");
  await page.locator("#watchlist .ag-row[row-id=KO]").click();
  await expect.poll(() => selected(page), DEADLINE).toBe("KO");
  await expect.poll(() => page.locator(".chat-room[aria-pressed=true]").textContent(), DEADLINE).toBe("KO");
  await page.focus(".chat-text");
  await page.keyboard.press("Escape");
  expect(await page.locator("#panel-chat").isHidden()).toBe(true);
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-controls"))).toBe("panel-chat");
});

test("a name is kept, and is that of the next connection", async () => {
  const { page, server: fake } = await open({ market: STILL, query: LIST });
  await openRoom(page, LOBBY);
  await page.fill(".chat-name", "Zoë");
  await page.press(".chat-name", "Enter");
  await expect.poll(() => text(page, ".chat-presence"), DEADLINE).toBe("1 here: Zoë");
  await expect.poll(() => page.locator(".chat-text").isEnabled(), DEADLINE).toBe(true);
  await say(page, "hi");
  await expect.poll(() => lines(page), DEADLINE).toEqual(["You: hi"]);
  await page.reload();
  await waitUntilLive(page);
  await openRoom(page, LOBBY);

  expect(await page.inputValue(".chat-name")).toBe("Zoë");
  await expect.poll(() => lines(page), DEADLINE).toEqual(["You: hi"]);
  expect(fake.commands.filter(({ action }) => action === "publish")).toHaveLength(1);
});

test.each([
  ["dark", "en-US", 1280],
  ["light", "zh-CN", 360],
] as const)("the chat has no accessibility violations and overflows nothing: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, server: fake } = await open({ market: STILL, query: LIST, context: { colorScheme, locale, viewport: { width, height: 740 } } });
  fake.publish("chat:lobby", { text: "a word that is longer than any line is wide ".replaceAll(" ", "-").repeat(4) }, "anna");
  fake.publish("chat:lobby", { text: "and one taken back" }, "anna");
  fake.takeBack("chat:lobby", 2);
  await openRoom(page, LOBBY);
  await say(page, "x".repeat(5_000));
  await expect.poll(async () => (await status(page)) !== "", DEADLINE).toBe(true);
  await page.click("[data-topic='chat:AAPL']");
  fake.publish("chat:lobby", { text: "not seen" }, "anna");
  await expect.poll(() => text(page, LOBBY), DEADLINE).toMatch(/\(1\)$/);
  expect(await violationsOf(page)).toEqual([]);
  await page.click(LOBBY);

  expect(await violationsOf(page)).toEqual([]);
  expect(await page.locator(".chat-log").evaluate((log) => log.scrollWidth - log.clientWidth)).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
});
