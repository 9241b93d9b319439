import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { Browser } from "./browser";
import { Server } from "./server";

/**
 * Takes a screenshot each second while the feed is lost in each of the ways in which it can be, and writes what the page says
 * beside it: `npm run shots:feed [-- case …]`. To be judged by the rule: stale within 4 s, until the first new object, without
 * flapping.
 */
const SECONDS = 30;
/** When the loss begins and, where it ends by itself, when it ends. */
const BEGIN = 3;
const END = 20;

interface Case {
  readonly begin: (server: Server, page: Page) => Promise<void> | void;
  readonly end?: (server: Server, page: Page) => Promise<void> | void;
}

/** Stops or continues the process that renders a page, as a laptop that sleeps does. */
async function signalRenderer(page: Page, signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
  const pids = renderers.get(page) ?? [];
  for (const pid of pids) process.kill(pid, signal);
  await Promise.resolve();
}

const renderers = new Map<Page, readonly number[]>();

const CASES: Readonly<Record<string, Case>> = {
  stopped: { begin: (server) => { server.signal("SIGTERM"); } },
  blackholed: { begin: (server) => { server.signal("SIGSTOP"); }, end: (server) => { server.signal("SIGCONT"); } },
  restarted: {
    begin: (server) => { server.signal("SIGTERM"); },
    end: async (server) => {
      await server.kill();
      await server.start();
    },
  },
  offline: { begin: (_, page) => page.context().setOffline(true), end: (_, page) => page.context().setOffline(false) },
  // The laptop wakes, and the connection is dead.
  cut: {
    begin: async (server, page) => {
      await signalRenderer(page, "SIGSTOP");
      server.signal("SIGSTOP");
    },
    end: (_, page) => signalRenderer(page, "SIGCONT"),
  },
  sleeping: { begin: (_, page) => signalRenderer(page, "SIGSTOP"), end: (_, page) => signalRenderer(page, "SIGCONT") },
};

const only = process.argv.slice(2);
for (const [name, { begin, end }] of Object.entries(CASES).filter(([name]) => only.length === 0 || only.includes(name))) {
  const out = `shots/feed-${name}`;
  mkdirSync(out, { recursive: true });
  const server = await Server.onFreePort("--rate", "400");
  await server.start();
  const browser = await Browser.start();
  const page = await browser.page({ colorScheme: "dark" });
  await page.goto(server.origin);
  await wait(6_000);
  // The only renderer whose page has a WebSocket is the one of our page.
  const session = await browser.cdp();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  renderers.set(page, processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id));
  await page.evaluate(() => {
    const log: string[] = [];
    let before = "";
    const look = () => {
      const state = document.body.dataset["stale"] ?? "";
      if (state !== before) log.push(`${Date.now()} ${state === "true" ? "stale" : "current"}`);
      before = state;
      requestAnimationFrame(look);
    };
    look();
    Object.assign(globalThis, { staleLog: log });
  });
  const lines: string[] = [];
  const from = Date.now();
  let beganAt = 0;
  for (let second = 0; second <= SECONDS; second += 1) {
    await wait(Math.max(0, from + second * 1_000 - Date.now()));
    if (second === BEGIN) {
      await begin(server, page);
      beganAt = Date.now();
    }
    if (second === END) await end?.(server, page);
    const isAsleep = (name === "sleeping" || name === "cut") && second >= BEGIN && second < END;
    if (isAsleep) continue;
    await page.screenshot({ path: `${out}/${String(second).padStart(2, "0")}.png` });
    const said = await page.evaluate(() => {
      const text = (id: string) => document.getElementById(id)?.textContent ?? "";
      return [document.body.dataset["stale"], text("connection-state"), text("connection-freshness"), text("connection-reason"), document.title, `missed ${text("count-missed")}`].join(" | ");
    });
    lines.push(`${second} s: ${said}`);
  }
  const log = await page.evaluate(() => (globalThis as unknown as { staleLog: readonly string[] }).staleLog);
  const changes = log.map((line) => `${((Number(line.split(" ")[0]) - beganAt) / 1_000).toFixed(2)} s after the loss: ${line.split(" ")[1] ?? ""}`);
  writeFileSync(`${out}/log.txt`, [...lines, ...changes, ""].join("\n"));
  process.stdout.write(`${name}\n${[...lines, ...changes].join("\n")}\n`);
  server.signal("SIGCONT");
  await browser.stop();
  await server.kill();
}
