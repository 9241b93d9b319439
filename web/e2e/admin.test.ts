import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { violationsOf } from "./axe";
import { Browser, recordPage, type PageLog } from "./browser";
import { DEADLINE, text } from "./dashboard-page";
import { proxyBelow } from "./proxy";
import { freePort, Server } from "./server";

/** The admin page in front of the real server: what it shows is so, and what it does is done. */

let browser: Browser;
beforeAll(async () => {
  browser = await Browser.start();
});
afterAll(async () => {
  await browser.stop();
});

const TOKEN = "0123456789abcdef0123456789abcdef";

interface Opened {
  readonly server: Server;
  readonly admin: string;
  readonly page: Page;
  readonly log: PageLog;
}

/** A server with the contents of these files as its options, and its admin page. All ends with the test. */
async function open({ args = [], files = {}, path }: { readonly args?: readonly string[]; readonly files?: Readonly<Record<string, string>>; readonly path?: string } = {}): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "tapecast-admin-"));
  const options = await Promise.all(
    Object.entries(files).map(async ([option, content]) => {
      const file = join(folder, option);
      await writeFile(file, content, { mode: 0o600 });
      return [`--${option}`, file];
    }),
  );
  const port = await freePort();
  const server = await Server.onFreePort("--admin-listen", `127.0.0.1:${port}`, ...args, ...options.flat());
  await server.start();
  const page = await browser.page();
  onTestFinished(async () => {
    await page.context().close();
    await server.kill();
    await rm(folder, { recursive: true });
  });
  const log = await recordPage(page);
  const admin = path === undefined ? `http://127.0.0.1:${port}/` : await proxyBelow(path, `http://127.0.0.1:${port}`);
  await page.goto(`${admin}admin/`);
  return { server, admin, page, log };
}

/** A client of the server, once it is welcome. */
async function connected(server: Server): Promise<WebSocket> {
  const client = new WebSocket(`${server.origin.replace("http", "ws")}/v2/iex`);
  onTestFinished(() => {
    client.terminate();
  });
  await once(client, "message");
  return client;
}

/** Sends a command; the message that answers it. */
async function command(client: WebSocket, command: object): Promise<string> {
  client.send(JSON.stringify(command));
  const [data] = (await once(client, "message")) as [Buffer];
  return data.toString();
}

const closed = async (client: WebSocket): Promise<string> => {
  const [code, reason] = (await once(client, "close")) as [number, Buffer];
  return `${code} ${reason.toString()}`;
};

const row = (at: number) => `#sessions-table tbody tr:nth-child(${at})`;
const rows = (page: Page) => page.locator("#sessions-table tbody tr").count();
const state = (page: Page) => text(page, "#state");

test("a client that does not read is found at the top of the list, with its reason", async () => {
  const { server, page, log } = await open({ args: ["--workers", "1", "--rate", "20000"] });
  const [quiet, slow] = [await connected(server), await connected(server)];
  await command(quiet, { action: "subscribe", tickers: ["AAPL"], x: {} });
  // A session that opted in gets a gap instead of being disconnected.
  slow.send(JSON.stringify({ action: "subscribe", trades: ["*"], quotes: ["*"], x: {} }));
  await once(slow, "message");
  slow.pause();

  await expect.poll(() => text(page, `${row(1)} .pace`), DEADLINE).toBe("Stalled");
  expect(await text(page, `${row(1)} .reason-text`)).toMatch(/^Its socket has taken nothing for \d+ s, [\d,.]+ kB wait to be sent/);
  expect(await text(page, `${row(2)} .c-why`)).toBe("keeps up");
  expect(await text(page, "#meter-slow")).toBe("1");
  expect(await text(page, "#meter-sessions")).toMatch(/^2 \/ [\d,]+$/);

  await page.click(`${row(1)} .open`);
  await expect.poll(() => text(page, "#detail [data-figure=backlog] dd"), DEADLINE).toMatch(/kB$/);
  expect(await text(page, "#detail-cause")).toMatch(/^(It sends meanwhile|Nothing came from it either)/);
  await expect.poll(() => text(page, "#detail-body .names h4"), DEADLINE).toMatch(/^(quotes|trades) · /);
  expect(log.violations).toEqual([]);
  expect(log.errors).toEqual([]);
});

test("an operator disconnects a client, and the client is told", async () => {
  const { server, page } = await open();
  const [stays, leaves] = [await connected(server), await connected(server)];
  await command(leaves, { action: "subscribe", trades: ["KO"], x: {} });
  await command(stays, { action: "subscribe", trades: ["AAPL", "KO"], x: {} });
  await expect.poll(() => rows(page), DEADLINE).toBe(2);
  const end = closed(leaves);

  await page.locator("#sessions-table tbody tr", { has: page.locator(".c-symbols", { hasText: /^1$/ }) }).click();
  await expect.poll(() => text(page, "#detail-body .names"), DEADLINE).toBe("trades · 1KO");
  await page.click("#detail-disconnect");
  await page.click("#confirm-ok");

  expect(await end).toBe("1008 disconnected by an operator");
  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  expect(await page.locator("#detail").isVisible()).toBe(false);
  await expect.poll(() => text(page, "#notice-text"), DEADLINE).toBe("127.0.0.1 is disconnected.");
  expect(stays.readyState).toBe(WebSocket.OPEN);
});

test("a session is muted, found by the filter, and unmuted", async () => {
  const { server, page } = await open();
  await connected(server);
  await connected(server);
  await expect.poll(() => rows(page), DEADLINE).toBe(2);
  await page.click(`${row(1)} .open`);
  await page.click("#detail-mute");
  await expect.poll(() => text(page, "#detail [data-figure=muted] dd"), DEADLINE).toBe("yes");
  await page.keyboard.press("Escape");
  await page.check("#filter-muted");
  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  expect(await text(page, `${row(1)} .tag`)).toBe("muted");

  await page.click(`${row(1)} .open`);
  await page.click("#detail-mute");
  await expect.poll(() => text(page, "#detail [data-figure=muted] dd"), DEADLINE).toBe("no");
  await page.keyboard.press("Escape");
  await expect.poll(() => text(page, "#sessions-empty"), DEADLINE).toBe("No session matches.");
});

test("a filter that the server does not understand is told, and shows no sessions of another one", async () => {
  const { server, page } = await open();
  await connected(server);
  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  await page.fill("#filter-address", "127.0.0");
  await expect.poll(() => text(page, "#sessions-empty"), DEADLINE).toContain("expected an address");
  expect(await rows(page)).toBe(0);

  await page.fill("#filter-address", "127.0.0.0/8");
  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  await page.fill("#filter-address", "10.0.0.0/8");
  await expect.poll(() => text(page, "#sessions-empty"), DEADLINE).toBe("No session matches.");
});

test("a key that is made lets a client in, one that is rotated by its new secret alone, and one that is revoked never", async () => {
  const { server, page } = await open({ files: { keys: "" } });
  const secret = () => page.inputValue("#secret-secret");
  const logIn = async (secret: string) => {
    const client = await connected(server);
    return { client, answer: await command(client, { action: "auth", key: "desk-2", secret }) };
  };
  await page.click("#new-key");
  await page.fill("#key-id", "desk-2");
  await page.fill("#key-symbols", "aapl, ko");
  await page.click("#key-form [type=submit]");
  await expect.poll(() => page.inputValue("#secret-id"), DEADLINE).toBe("desk-2");
  const first = await secret();
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await page.locator("#secret-dialog").isVisible()).toBe(true);
  await page.click("#secret-dialog [type=submit]");
  await expect.poll(secret, DEADLINE).toBe("");
  await expect.poll(() => text(page, "#keys-table .c-scope"), DEADLINE).toBe("all feeds · AAPL KO");
  expect((await logIn(first)).answer).toContain("authenticated");
  await expect.poll(() => text(page, "#keys-table tbody .number"), DEADLINE).toBe("1");

  await page.click("#keys-table .c-actions button:first-child");
  await page.click("#confirm-ok");
  await expect.poll(() => page.locator("#secret-dialog").isVisible(), DEADLINE).toBe(true);
  const second = await secret();
  await page.click("#secret-dialog [type=submit]");
  expect(second).not.toBe(first);
  expect((await logIn(first)).answer).toContain("auth failed");
  const { client, answer } = await logIn(second);
  expect(answer).toContain("authenticated");
  await expect.poll(() => text(page, "#refusals-table tbody .c-kind"), DEADLINE).toBe("log-in");

  const end = closed(client);
  await page.click("#keys-table .c-actions button:last-child");
  await page.click("#confirm-ok");
  expect(await end).toBe("1008 key revoked");
  await expect.poll(() => text(page, "#keys-empty"), DEADLINE).toMatch(/^There is no key/);
  expect((await logIn(second)).answer).toContain("auth failed");
});

test("why a key is not made is told in its form", async () => {
  const { page } = await open({ files: { keys: "" } });
  await page.click("#new-key");
  await page.fill("#key-feeds", "no such feed!");
  await page.click("#key-form [type=submit]");

  await expect.poll(() => text(page, "#key-status"), DEADLINE).toMatch(/^Feeds: /);
  expect(await page.locator("#key-dialog").isVisible()).toBe(true);
});

test("draining refuses new sessions and ends those that are open, with its progress, until it is stopped", async () => {
  const { server, page } = await open();
  const ready = async () => (await fetch(`${server.origin}/readyz`)).status;
  const clients = [await connected(server), await connected(server)];
  await expect.poll(() => rows(page), DEADLINE).toBe(2);
  await page.fill("#drain-seconds", "3600");
  await page.click("#drain-start");
  await page.click("#confirm-ok");

  await expect.poll(() => state(page), DEADLINE).toBe("Draining");
  await expect.poll(() => text(page, "#drain-text"), DEADLINE).toMatch(/^[12] of 2 sessions left$/);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("drain-stop");
  expect(await ready()).toBe(503);
  const refused = new WebSocket(`${server.origin.replace("http", "ws")}/v2/iex`);
  expect(((await once(refused, "error")) as [Error])[0].message).toContain("503");

  await page.click("#drain-stop");
  await expect.poll(() => state(page), DEADLINE).toBe("Ready");
  expect(await ready()).toBe(200);
  await connected(server);

  const ends = clients.filter(({ readyState }) => readyState === WebSocket.OPEN).map(closed);
  await page.fill("#drain-seconds", "0");
  await page.click("#drain-start");
  await page.click("#confirm-ok");
  await Promise.all(ends);
  await expect.poll(() => text(page, "#drain-text"), DEADLINE).toMatch(/^0 of \d sessions left$/);
});

test("the log level is set, and one that is none is told", async () => {
  const { admin, page } = await open();
  const level = async () => ((await (await fetch(`${admin}admin/api/log-level`)).json()) as { readonly level: string }).level;
  await expect.poll(() => page.inputValue("#log-level"), DEADLINE).toBe(await level());
  await page.fill("#log-level", "tapecast=debug");
  await page.press("#log-level", "Enter");
  await expect.poll(level, DEADLINE).toBe("tapecast=debug");

  await page.fill("#log-level", "tapecast=loud");
  await page.press("#log-level", "Enter");
  await expect.poll(() => page.getAttribute("#log-level", "aria-invalid"), DEADLINE).toBe("true");
  expect(await text(page, "#log-note")).not.toBe("");
  expect(await level()).toBe("tapecast=debug");
});

test("without the token nothing is shown, a wrong one is refused, and the right one is kept for the tab", async () => {
  const { page } = await open({ files: { "admin-token-file": `${TOKEN}\n` } });
  await expect.poll(() => state(page), DEADLINE).toBe("Locked");
  expect(await page.locator("#panels").isVisible()).toBe(false);
  expect(await violationsOf(page)).toEqual([]);
  await page.fill("#login-token", `${TOKEN}x`);
  await page.press("#login-token", "Enter");
  await expect.poll(() => text(page, "#login-message"), DEADLINE).toBe("The token is refused.");
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);

  await page.fill("#login-token", TOKEN);
  await page.press("#login-token", "Enter");
  await expect.poll(() => state(page), DEADLINE).toBe("Ready");
  expect(await page.locator("#panels").isVisible()).toBe(true);
  await page.reload();
  await expect.poll(() => state(page), DEADLINE).toBe("Ready");
  await page.click("#forget-token");
  await expect.poll(() => state(page), DEADLINE).toBe("Locked");
  expect(await page.evaluate(() => [sessionStorage.length, localStorage.length])).toEqual([0, 0]);
});

test("a server that hangs makes the page stale, and one that is started again makes it fresh", async () => {
  const { server, page } = await open();
  const isStale = () => page.getAttribute("body", "data-stale");
  await expect.poll(isStale, DEADLINE).toBe("false");
  server.signal("SIGSTOP");
  await expect.poll(isStale, DEADLINE).toBe("true");
  expect(await state(page)).toBe("Stale");

  server.signal("SIGCONT");
  await expect.poll(isStale, DEADLINE).toBe("false");
  await server.kill();
  await expect.poll(isStale, DEADLINE).toBe("true");
  await server.start();
  await expect.poll(() => state(page), DEADLINE).toBe("Ready");
});

test("the page works below a path of a proxy", async () => {
  const { server, page, log } = await open({ path: "/tapecast/" });
  await connected(server);

  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  expect(await page.evaluate(() => document.querySelector<HTMLImageElement>(".brand img")?.naturalWidth)).toBeGreaterThan(0);
  expect(log.errors).toEqual([]);
});

test("the clients' address has no admin page", async () => {
  const { server } = await open();

  for (const path of ["/admin/", "/admin.html", "/admin/api/overview"]) expect([path, (await fetch(server.origin + path)).status]).toEqual([path, 404]);
});
