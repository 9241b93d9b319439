import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import type { Page } from "playwright-core";
import { FakeServer } from "../fake/server";
import { openAllPanels } from "./all-panels";
import { Browser } from "./browser";
import { heapOf, takeFrames, watchFrames } from "./frames";
import { Server } from "./server";
import { trace } from "./trace";

/**
 * Measures the dashboard and fails if a limit is exceeded:
 * `npm run bench:browser -- [first] [load] [all] [heap] [return] [--seconds 60] [--minutes 10] [--rate 5000]`.
 * `load` is the first board, without the panels of the whole market and the wire; `all` has every panel open.
 *
 * The server is `TAPECAST_BIN`, by default the release build, or the fake server if that does not exist. It shares the
 * browser's cores at the lowest priority. Limits apply to wall-clock time, which includes waiting for a core; CPU time
 * is reported beside it.
 */
const args = process.argv.slice(2);
const numberOption = (name: string, fallback: number) => (args.includes(`--${name}`) ? Number(args[args.indexOf(`--${name}`) + 1]) : fallback);
const isSelected = (part: string) => !args.some((arg) => /^[a-z]+$/.test(arg)) || args.includes(part);
const [seconds, minutes, rate] = [numberOption("seconds", 60), numberOption("minutes", 10), numberOption("rate", 5_000)];

const ROWS = 200;
const TRIES = 5;
const STEP_MS = 10;
const READ_MS = 4_000;
/** Until bars and names are loaded and the code is warm. */
const WARM_MS = 10_000;
const WIDE = { viewport: { width: 1920, height: 1080 } };

const out = (line: string) => process.stdout.write(`${line}\n`);
const failures: string[] = [];
/** Prints a measured value with its limit. */
function check(name: string, value: number, limit: number, unit: string): void {
  const isWithin = value <= limit;
  if (!isWithin) failures.push(name);
  out(`  ${isWithin ? "ok    " : "FAILED"}  ${name}: ${value.toFixed(unit === "%" ? 1 : 0)} ${unit}, limit ${limit} ${unit}`);
}

/** A server that can be restarted. */
interface Upstream {
  readonly origin: string;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** Objects received per trade: tickers of trades and quotes, some conflated within a frame. */
const UPDATES_PER_TRADE = 1.43;

/** The server under test. Each trade and quote causes a ticker; the selected symbol's trades and quotes are sent as well. */
async function upstream(): Promise<Upstream> {
  process.env["TAPECAST_BIN"] ??= "../target/release/tapecast";
  if (existsSync(process.env["TAPECAST_BIN"])) {
    const trades = Math.ceil(rate / UPDATES_PER_TRADE);
    const server = (await Server.onFreePort("--symbols", String(ROWS), "--rate", String(trades), "--quotes-per-trade", "1")).withLowPriority();
    out(`${process.env["TAPECAST_BIN"]} with ${ROWS} symbols and ${trades} trades/s`);
    return { origin: server.origin, kill: () => server.kill(), start: () => server.start() };
  }
  const options = { stepMs: STEP_MS, perStep: Math.round((rate * STEP_MS) / 1_000), dist: "dist" };
  let fake = new FakeServer(options);
  await fake.start();
  const { port } = fake;
  await fake.kill();
  out(`the fake server with ${rate} trades/s`);
  return {
    origin: `http://127.0.0.1:${port}`,
    kill: () => fake.kill(),
    start: async () => {
      fake = new FakeServer({ ...options, port, epoch: String(Date.now()) });
      await fake.start();
    },
  };
}

const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
const figureOf = async (page: Page, id: string) => Number(((await text(page, `#${id}`)) ?? "").replaceAll(",", ""));

/** Opens all rows without conflation. */
async function openAll(origin: string): Promise<Page> {
  const assets = (await (await fetch(`${origin}/v2/assets`)).json()) as readonly { readonly symbol: string }[];
  const page = await browser.page(WIDE);
  await page.addInitScript(() => {
    localStorage.setItem("tapecast.settings", JSON.stringify({ conflateMs: 0 }));
  });
  await page.goto(`${origin}/?list=${assets.slice(-ROWS).map(({ symbol }) => symbol).join(",")}`);
  await page.waitForTimeout(WARM_MS);
  return page;
}

/** Time from navigation until a price is painted: the frame after the one that wrote it. */
async function first(origin: string): Promise<void> {
  const took: number[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const page = await browser.page(WIDE);
    await page.addInitScript(() => {
      const look = () => {
        if (!/\d/.test(document.querySelector(".ag-row .c-last")?.textContent ?? "")) requestAnimationFrame(look);
        else requestAnimationFrame(() => performance.mark("price-painted"));
      };
      requestAnimationFrame(look);
    });
    await page.goto(origin);
    const firstPrice = await page.waitForFunction(() => performance.getEntriesByName("price-painted")[0]?.startTime, undefined, { timeout: 120_000 });
    took.push((await firstPrice.jsonValue()) ?? Number.NaN);
    await page.context().close();
  }
  out(`first prices, each in a new profile: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  check("first prices painted", Math.max(...took), 1_000, "ms");
  await firstView(origin);
}

/** What the first view loads, as it is on the wire, until chart and names are there. */
async function firstView(origin: string): Promise<void> {
  const page = await browser.page(WIDE);
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await session.send("Network.enable");
  await page.goto(origin);
  await page.locator(".chart canvas").first().waitFor();
  await page.waitForLoadState("networkidle");
  check("first view, compressed, with its data", bytes / 1024, 450, "KiB");
  await page.context().close();
}

/** Main thread load, then frames. Separate, because counting frames requests 60 per second, which costs time itself. */
async function load(page: Page, name: string, limit: number): Promise<void> {
  const work = await counted(page, () => trace(page, seconds));
  await watchFrames(page);
  // Until the backlog from reading the trace is processed.
  await page.waitForTimeout(1_000);
  const frames = await counted(page, async () => {
    await takeFrames(page);
    await page.waitForTimeout(seconds * 1_000);
    return await takeFrames(page);
  });
  out(`${ROWS} rows, ${name}, every tick, twice ${seconds} s: ${work.rate.toFixed(0)}, ${frames.rate.toFixed(0)} updates/s, gaps ${await figureOf(page, "meter-gaps")}`);
  out(`  ${(frames.count / seconds).toFixed(1)} frames/s, longest ${frames.longest.toFixed(0)} ms; longest task ${work.longestMs.toFixed(0)} ms`);
  out(`  CPU time of the main thread ${(work.cpu * 100).toFixed(1)}%, of which ms/s: ${work.parts.map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(", ")}`);
  check(`main thread busy, ${name}`, work.busy * 100, limit, "%");
  check(`frames over 50 ms, ${name}`, frames.over50, 0, "");
  check(`tasks over 50 ms, ${name}`, work.long, 0, "");
  const lowest = Math.min(work.rate, frames.rate);
  if (lowest < rate) failures.push(`only ${lowest.toFixed(0)} updates/s arrived, ${name}`);
}

/** Runs a measurement and adds the mean update rate that the page displayed meanwhile. */
async function counted<Result extends object>(page: Page, measure: () => Promise<Result>): Promise<Result & { readonly rate: number }> {
  const readings: Promise<number>[] = [];
  const reader = setInterval(() => readings.push(figureOf(page, "meter-rate")), READ_MS);
  const result = await measure();
  clearInterval(reader);
  const rates = await Promise.all(readings);
  return { ...result, rate: rates.reduce((sum, read) => sum + read, 0) / rates.length };
}

/** Heap growth since the first minute, by which time and sales and the sparklines are full. */
async function heap(page: Page): Promise<void> {
  await page.waitForTimeout(60_000);
  const sizes = [await heapOf(page)];
  for (let minute = 1; minute <= minutes; minute += 1) {
    await page.waitForTimeout(60_000);
    sizes.push(await heapOf(page));
  }
  out(`heap after each minute: ${sizes.map((bytes) => (bytes / 1e6).toFixed(2)).join(" ")} MB`);
  const [start, end] = [sizes[0] ?? 1, sizes.at(-1) ?? 1];
  check(`heap growth after ${minutes} min`, (end / start - 1) * 100, 10, "%");
}

/** Time from the readiness of the restarted server until the page shows a new price. */
async function reconnect(server: Upstream): Promise<void> {
  const page = await browser.open(server.origin, WIDE);
  const took: number[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    await page.waitForFunction(() => document.body.dataset["stale"] === "false");
    await server.kill();
    // A different phase of the back-off each time.
    await page.waitForTimeout(1_000 + tries * 2_300);
    await server.start();
    const from = performance.now();
    const old = await text(page, ".ag-row .c-last");
    await page.waitForFunction((price) => document.body.dataset["stale"] === "false" && document.querySelector(".ag-row .c-last")?.textContent !== price, old, { polling: "raf" });
    took.push(performance.now() - from);
  }
  out(`reconnect after a restart: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  check("reconnected with prices", Math.max(...took), 2_000, "ms");
  await page.context().close();
}

out(`${new Date().toISOString().slice(0, 16)}  ${cpus().length} cores of ${cpus()[0]?.model ?? "?"}  ${execFileSync("uname", ["-sr"]).toString().trim()}  load ${loadavg()[0]?.toFixed(1) ?? "?"}`);
const server = await upstream();
await server.start();
const browser = await Browser.start();
if (isSelected("first")) await first(server.origin);
if (isSelected("load") || isSelected("heap")) {
  const page = await openAll(server.origin);
  if (isSelected("load")) await load(page, "first board", 45);
  if (isSelected("heap")) await heap(page);
  await page.context().close();
}
if (isSelected("all")) {
  const page = await openAll(server.origin);
  await openAllPanels(page);
  await page.waitForTimeout(WARM_MS);
  await load(page, "all panels", 65);
  await page.context().close();
}
if (isSelected("return")) await reconnect(server);
await browser.stop();
await server.kill();
out(`load after ${loadavg()[0]?.toFixed(1) ?? "?"}`);
if (failures.length > 0) out(`failed: ${failures.join(", ")}`);
process.exit(failures.length > 0 ? 1 : 0);
