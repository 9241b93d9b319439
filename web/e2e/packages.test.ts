import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { Browser, recordPage, TIMEOUT_MS } from "./browser";
import { Server } from "./server";
import { serveFolder } from "./static-site";

const DEADLINE = { timeout: TIMEOUT_MS, interval: 50 };

const run = promisify(execFile);

/** Packs the packages, and installs them beside the locked dependencies of `examples/react` in an empty folder. */
async function installedProject(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tapecast-packages-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const project = join(folder, "project");
  cpSync(resolve("../examples/react"), project, { recursive: true, filter: (path) => !/node_modules|dist/.test(path) });
  const npm = (cwd: string, ...args: readonly string[]) => run("npm", [...args, "--no-audit", "--no-fund", "--prefer-offline"], { cwd });
  await npm(".", "pack", "--workspace", "client", "--workspace", "react", "--pack-destination", folder);
  await npm(project, "ci");
  const files = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  expect(files.map((name) => name.replace(/-\d.*/, "")).sort()).toEqual(["tapecast-client", "tapecast-react"]);
  await npm(project, "install", "--no-save", ...files.map((name) => join(folder, name)));
  return project;
}

/** The commands that a page sends over its WebSocket. */
function commandsOf(page: Page): readonly string[] {
  const commands: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => commands.push(String(payload))));
  return commands;
}

test("a project that installs the packages type-checks, builds and shows five live prices", async () => {
  const project = await installedProject();
  const [server, browser] = [await Server.onFreePort(), await Browser.start()];
  const env = { ...process.env, NODE_ENV: "production", VITE_TAPECAST_URL: server.origin };
  await run("npm", ["run", "build"], { cwd: project, env });
  // React's strict mode mounts components twice in development only.
  await run("npx", ["vite", "build", "--mode", "development", "--outDir", "strict"], { cwd: project, env: { ...env, NODE_ENV: "development" } });
  const sites = [await serveFolder(join(project, "dist")), await serveFolder(join(project, "strict"))];
  onTestFinished(async () => {
    await browser.stop();
    for (const site of sites) await site.stop();
    await server.kill();
  });
  for (const { origin } of sites) server.permit(origin);
  await server.start();

  for (const { origin } of sites) {
    const page = await browser.page();
    const [log, commands] = [await recordPage(page), commandsOf(page)];
    await page.goto(origin);
    const prices = () => page.locator("td:nth-child(2)").allInnerTexts();

    await expect.poll(prices, DEADLINE).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^\d+\.\d\d$/) as string));
    const first = await prices();
    await expect.poll(prices, DEADLINE).not.toEqual(first);
    await expect.poll(() => page.locator("li").count(), DEADLINE).toBe(8);
    expect(await page.textContent("[role=status]")).toBe("live");
    expect(log.errors.filter((text) => !text.includes("React DevTools"))).toEqual([]);
    // One command for all components, and none that gives a stream up.
    expect(commands.filter((text) => /"(tickers|trades)"|unsubscribe/.test(text))).toHaveLength(1);
  }
});
