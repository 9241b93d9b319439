import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { FakeAdmin, fakeSession, type FakeAdminState } from "../fake/admin";
import { violationsOf } from "./axe";
import { Browser, recordPage, type ContextOptions, type PageLog } from "./browser";
import { lowContrasts } from "./contrast";
import { DEADLINE, text } from "./dashboard-page";
import { overflowOf, watchShifts } from "./layout";

/** The admin page in states that a server is seldom in: what it shows, how it looks, and what it says when nothing comes. */

/** Limit of what the page loads, gzipped. */
const MAX_BYTES = 40 * 1024;

let browser: Browser;
beforeAll(async () => {
  browser = await Browser.start();
});
afterAll(async () => {
  await browser.stop();
});

const STALLED = fakeSession(7, { address: "192.0.2.7:40007", key: "mobile", backlog_bytes: 3_412_000, stalled_ms: 12_400, gaps: 3, missed: 1_240, conflated: 20_412 });
const SESSIONS = [STALLED, fakeSession(8, { backlog_bytes: 214_000 }), ...Array.from({ length: 338 }, (_, at) => fakeSession(at + 9))];

/** A gateway of which another one is three seconds late. */
const clusterAt = (batch: number) => ({
  ...{ node: "00f3a9b2c4d5e6f7", role: "gateway", nats: "nats://10.0.0.9:4222", connected: true, joined: true, leads: false, batch, lease: { held: false, fence: 7 } },
  ...{ hops_ms: { source: 0.4, leader: 0.2, nats: 0.9, feed: 0.1 }, batches_repaired: 2, gateways: 2 },
  nodes: [
    { node: "1b88aa0212345678", role: "feed", leads: true, sessions: 0, batch: batch + 1, symbols: 1, heard_ms: 12 },
    { node: "2c99bb0312345678", role: "gateway", leads: false, sessions: 1_204, batch: 1, symbols: 1, heard_ms: 100 },
  ],
});

const BUSY: Partial<FakeAdminState> = {
  sessions: SESSIONS,
  overview: { node: "00f3a9b2c4d5e6f7", cluster: clusterAt(1_000), feeds: [
    { feed: "iex", source: "upstream", ready: true, epoch: "18f2c1d0a4b3", objects: 128_400_112, age_ms: 3, upstream: { up: true, connects: 3, losses: 2, objects: 9, invalid: 0, missed: 14, gap_seconds: 3.2 } },
    { feed: "sip", source: "simulation", ready: false, reason: "no data for 12 s", epoch: "18f2c1d0a4b4", objects: 9_400, age_ms: 12_400 },
  ] },
  keys: [{ id: "desk", control: true, sessions: 85 }, { id: "mobile", feeds: ["iex"], symbols: ["AAPL", "KO"], max_sessions: 5_000, max_symbols: 30, control: false, sessions: 113 }],
  // Of another day than today, whose times are the longest.
  refusals: [{ time: "2026-01-30T14:30:00Z", kind: "auth", reason: "invalid key or secret", address: "[2001:db8:85a3::8a2e:370:7334]:51234", key: "desk", count: 14 }],
};

interface Opened {
  readonly page: Page;
  readonly admin: FakeAdmin;
  readonly log: PageLog;
}

async function open(state: Partial<FakeAdminState> = BUSY, context: ContextOptions = {}): Promise<Opened> {
  const admin = await FakeAdmin.start();
  Object.assign(admin.state, state);
  const page = await browser.page(context);
  onTestFinished(async () => {
    await page.context().close();
    admin.stop();
  });
  const log = await recordPage(page);
  await page.goto(admin.url);
  await expect.poll(() => text(page, "#state"), DEADLINE).not.toBe("Loading");
  await expect.poll(() => text(page, "#refusals-empty"), DEADLINE).not.toBe("Loading");
  await expect.poll(() => text(page, "#sessions-note"), DEADLINE).not.toBe("");
  return { page, admin, log };
}

const row = (at: number) => `#sessions-table tbody tr:nth-child(${at})`;

test("the slowest session is at the top, with its reason in a sentence, and is counted", async () => {
  const { page, log } = await open();

  expect(await text(page, `${row(1)} .open`)).toBe("192.0.2.7:40007");
  expect(await text(page, `${row(1)} .c-why`)).toBe("StalledIts socket has taken nothing for 12 s, 3.4 MB wait to be sent, 1,240 objects missed in 3 gaps, 20.41K conflated");
  expect(await text(page, `${row(2)} .c-why`)).toBe("Behind214 kB wait to be sent");
  expect(await text(page, `${row(3)} .c-why`)).toBe("keeps up");
  expect(await text(page, "#meter-slow")).toBe("2");
  expect(await text(page, "#sessions-note")).toBe("340 open, 100 shown");
  expect(log.violations).toEqual([]);
  expect(log.errors).toEqual([]);
});

test("a column's head, the filters and the button ask the server for other sessions", async () => {
  const { page, admin } = await open();
  const asked = (query: string) => expect.poll(() => admin.asked, DEADLINE).toContain(`sessions?${query}`);

  await page.click("#sessions-table th.c-age button");
  await asked("sort=age&order=desc&limit=100");
  await page.click("#sessions-table th.c-age button");
  await asked("sort=age&order=asc&limit=100");
  await expect.poll(() => page.getAttribute("#sessions-table th.c-age", "aria-sort"), DEADLINE).toBe("ascending");
  await page.fill("#filter-address", "192.0.2.0/24");
  await asked("sort=age&order=asc&limit=100&address=192.0.2.0%2F24");
  await page.fill("#filter-key", "mobile");
  await page.selectOption("#filter-feed", "sip");
  await page.check("#filter-muted");
  await asked("sort=age&order=asc&limit=100&address=192.0.2.0%2F24&key=mobile&feed=sip&muted=true");
  await page.click("#sessions-more");
  await asked("sort=age&order=asc&limit=1000&address=192.0.2.0%2F24&key=mobile&feed=sip&muted=true");
  // The slowest of all are still counted.
  admin.state.sessions = [];
  await asked("sort=backlog&order=desc&limit=100");
  await expect.poll(() => text(page, "#sessions-empty"), DEADLINE).toBe("No session matches.");
});

test("of a cluster it is told who leads, and how late each node is", async () => {
  const { page, admin } = await open();
  const cells = (at: number) => page.locator(`#nodes-table tbody tr:nth-child(${at}) td`).allTextContents();

  let batch = 1_000;
  // The rate of batches is that of two answers.
  await expect.poll(async () => {
    admin.state.overview = { ...admin.state.overview, cluster: clusterAt((batch += 100)) };
    return (await cells(3))[3] ?? "";
  }, DEADLINE).toMatch(/^[\d.,]+ s$/);
  expect((await cells(1)).slice(0, 3)).toEqual(["00f3a9b2c4d5e6f7this node", "gateway", "340"]);
  expect(await cells(2)).toEqual(["1b88aa0212345678leads", "feed", "0", "on time", "12 ms ago"]);
  expect((await cells(3))[2]).toBe("1,204");
  expect(await text(page, "#nodes-hops")).toBe("Last batch: source 0.4 ms → leader 0.2 ms → NATS 0.9 ms → this node 0.1 ms");
  expect(await text(page, ".feed:first-child")).toMatch(/^sip.*not readyno data for 12 s/);
});

test("an answer that does not come makes the figures stale, and the next one fresh", async () => {
  const { page, admin } = await open();
  const isStale = (selector: string) => page.getAttribute(selector, "data-stale");
  expect([await isStale("body"), await isStale("#sessions")]).toEqual(["false", "false"]);

  admin.state.isSilent = true;
  await expect.poll(() => isStale("body"), DEADLINE).toBe("true");
  await expect.poll(() => isStale("#sessions"), DEADLINE).toBe("true");
  expect(await text(page, "#state")).toBe("Stale");
  expect(await text(page, "#freshness")).toMatch(/^as of \d\d:\d\d:\d\d · no answer for \d+ s$/);
  await expect.poll(() => text(page, "#server"), DEADLINE).toBe("The server does not answer.");
  const colours = await page.evaluate(() => [".c-backlog.figure", "#freshness"].map((selector) => getComputedStyle(document.querySelector(selector) ?? document.body).color));
  expect(new Set(colours).size).toBe(2);

  admin.state.isSilent = false;
  await expect.poll(() => isStale("body"), DEADLINE).toBe("false");
  expect(await text(page, "#state")).toBe("Ready");
});

test("a page that was hidden asks nothing meanwhile, and shows no old figure as new", async () => {
  const { page, admin } = await open();
  const show = (state: "hidden" | "visible") =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await show("hidden");
  const before = admin.asked.length;
  await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("true");
  expect(admin.asked.length).toBe(before);

  admin.state.isSilent = true;
  await show("visible");
  await expect.poll(() => admin.asked.length, DEADLINE).toBeGreaterThan(before);
  expect(await page.getAttribute("body", "data-stale")).toBe("true");
  admin.state.isSilent = false;
  await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("false");
});

test("the row that is pointed at keeps its place", async () => {
  const { page, admin } = await open();
  await page.hover(row(3));
  const aimed = await page.getAttribute(row(3), "data-id");
  const late = fakeSession(300, { address: "203.0.113.1:1", backlog_bytes: 9e6 });

  admin.state.sessions = [late, ...SESSIONS];
  await expect.poll(() => text(page, "#sessions-note"), DEADLINE).toContain("order held");
  expect(await page.getAttribute(row(3), "data-id")).toBe(aimed);
  await page.mouse.move(5, 5);
  await expect.poll(() => text(page, `${row(1)} .open`), DEADLINE).toBe("203.0.113.1:1");
  expect(await text(page, "#sessions-note")).not.toContain("held");
});

test("a session's details are opened and left by the keyboard, and its end is told", async () => {
  const { page, admin } = await open();
  await page.locator(`${row(1)} .open`).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, "#detail [data-figure=backlog] dd"), DEADLINE).toBe("3.4 MB");
  expect(await text(page, "#detail .names:nth-of-type(2)")).toContain("and 80 more");

  admin.state.sessions = SESSIONS.slice(1);
  await expect.poll(() => text(page, "#detail-gone"), DEADLINE).toContain("has ended");
  expect(await page.locator("#detail-disconnect").isDisabled()).toBe(true);
  await page.keyboard.press("Escape");
  expect(await page.locator("#detail").isVisible()).toBe(false);
});

test("a server without keys says so", async () => {
  const { page, log } = await open({ ...BUSY, keys: undefined });

  await expect.poll(() => text(page, "#keys-empty"), DEADLINE).toBe("This server has no key file, and needs no log-in. Start it with --keys FILE.");
  expect(await page.locator("#new-key").isDisabled()).toBe(true);
  expect(log.errors).toEqual([]);
});

test.each([
  ["dark", "en-US", 1440],
  ["light", "en-US", 1440],
  ["dark", "zh-CN", 320],
  ["light", "zh-CN", 320],
] as const)("the page has no accessibility violations, in any state: %s, %s, %d pixels wide", async (colorScheme, locale, width) => {
  const { page, admin } = await open(BUSY, { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 900 } });
  expect(await violationsOf(page)).toEqual([]);
  expect(await lowContrasts(page, "body")).toEqual([]);

  await page.click(`${row(1)} .open`);
  await page.locator("#detail [data-figure=backlog]").waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.click("#detail-disconnect");
  expect(await violationsOf(page)).toEqual([]);
  await page.click("#confirm-cancel");
  await page.click("#detail-close");
  await page.click("#new-key");
  expect(await violationsOf(page)).toEqual([]);
  await page.click("#key-cancel");

  admin.state.isSilent = true;
  await expect.poll(() => page.getAttribute("#sessions", "data-stale"), DEADLINE).toBe("true");
  expect(await violationsOf(page)).toEqual([]);
  expect(await lowContrasts(page, "body")).toEqual([]);
});

/** Texts that are wider than the box that cuts them. */
const cutOf = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("main *, header *, dialog[open] *")]
      .filter((element) => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible" && !element.matches(".visually-hidden, input, select, thead"))
      .map((element) => `${element.tagName} ${element.id} ${element.className}`),
  );

test.each(["en-US", "zh-CN"])("from 320 to 2560 pixels nothing is cut and nothing sticks out: %s", async (locale) => {
  const { page } = await open(BUSY, { locale });
  for (const width of [320, 360, 479, 480, 639, 640, 768, 819, 820, 1024, 1079, 1080, 1319, 1320, 1440, 1920, 2560]) {
    await page.setViewportSize({ width, height: Math.max(740, Math.round(width * 0.5625)) });
    expect({ width, cut: await cutOf(page), ...(await overflowOf(page)) }).toEqual({ width, cut: [], scrollWidth: width, sticking: [] });
  }

  await page.setViewportSize({ width: 320, height: 740 });
  await page.click(`${row(1)} .open`);
  await page.locator("#detail [data-figure=backlog]").waitFor();
  expect({ cut: await cutOf(page), ...(await overflowOf(page)) }).toEqual({ cut: [], scrollWidth: 320, sticking: [] });
});

test.each([1440, 768, 320])("figures that change move nothing, %d pixels wide", async (width) => {
  const { page, admin } = await open(BUSY, { viewport: { width, height: 900 } });
  const shifts = await watchShifts(page);

  admin.state.sessions = [fakeSession(7, { address: "192.0.2.7:40007", key: "mobile", backlog_bytes: 112_000, stalled_ms: 1_500, bytes: 9 }), ...SESSIONS.slice(1).map((session) => ({ ...session, bytes: 987_654_321, gaps: 12_345 }))];
  admin.state.overview = { ...admin.state.overview, memory_bytes: 9, outbox_bytes: 1_234_567_890, uptime_seconds: 1, sessions: { open: 9_999, limit: 10_000 } };
  admin.state.refusals = [];
  admin.state.keys = [];
  await expect.poll(() => text(page, `${row(1)} .c-backlog`), DEADLINE).toBe("112 kB");
  await expect.poll(() => text(page, "#meter-sessions"), DEADLINE).toBe("9,999 / 10,000");
  await expect.poll(() => page.locator("#keys-table tbody tr").count(), DEADLINE).toBe(0);
  await expect.poll(() => page.locator("#refusals-table tbody tr").count(), DEADLINE).toBe(0);

  expect(await shifts()).toEqual([]);
});

test("theme and language are chosen, and kept", async () => {
  const { page } = await open();
  await page.selectOption("#theme", "light");
  await page.selectOption("#language", "zh");
  expect(await text(page, "#sessions-title")).toBe("会话");
  await page.reload();
  await expect.poll(() => text(page, "#state"), DEADLINE).toBe("就绪");

  expect(await page.getAttribute("html", "data-theme")).toBe("light");
  expect(await page.getAttribute("html", "lang")).toBe("zh-CN");
});

test("the page is smaller than its size limit", async () => {
  const { page } = await open();
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname));
  const files = ["admin.html", ...new Set(loaded.flatMap((path) => /^\/admin\/(assets\/.*\.(?:js|css))$/.exec(path)?.[1] ?? []))];

  expect(files.length).toBe(3);
  expect(files.reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`)).length, 0)).toBeLessThanOrEqual(MAX_BYTES);
});
