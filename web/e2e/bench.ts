import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import type { Page } from "playwright-core";
import { FakeServer } from "../fake/server";
import { Browser } from "./browser";
import { heapOf, takeFrames, watchFrames } from "./frames";
import { Server } from "./server";
import { trace } from "./trace";

/**
 * Holds the board to its promises, one after the other, and fails if one is broken:
 * `npm run bench:browser -- [first] [load] [heap] [return] [--seconds 60] [--minutes 10] [--rate 5000]`.
 *
 * The server is that of `TAPECAST_BIN`, by default the release build, on a port of its own; where there is
 * none, the fake one. It runs on the cores of the browser, but gives way to it. Promises are held by the clock, by
 * which tasks are longer where a thread waits for a core; its processor time is written beside.
 */
const words = process.argv.slice(2);
const numberOf = (name: string, otherwise: number) => (words.includes(`--${name}`) ? Number(words[words.indexOf(`--${name}`) + 1]) : otherwise);
const wants = (part: string) => !words.some((word) => /^[a-z]+$/.test(word)) || words.includes(part);
const [seconds, minutes, rate] = [numberOf("seconds", 60), numberOf("minutes", 10), numberOf("rate", 5_000)];

const ROWS = 200;
const TRIES = 5;
const STEP_MS = 10;
const READ_MS = 4_000;
const WIDE = { viewport: { width: 1920, height: 1080 } };

const out = (line: string) => process.stdout.write(`${line}\n`);
const broken: string[] = [];
/** Writes a figure beside what was promised of it. */
function hold(what: string, figure: number, most: number, unit: string): void {
  const isHeld = figure <= most;
  if (!isHeld) broken.push(what);
  out(`  ${isHeld ? "holds " : "BROKEN"}  ${what}: ${figure.toFixed(unit === "%" ? 1 : 0)} ${unit}, at most ${most} ${unit}`);
}

/** A server that can be killed and started again. */
interface Upstream {
  readonly origin: string;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** What arrives at the page for each trade of the market: tickers for trades and quotes, less those that leave in one frame as one. */
const UPDATES_PER_TRADE = 1.43;

/** A ticker of a row for each trade and quote, and all trades and quotes of the symbol that is selected. */
async function upstream(): Promise<Upstream> {
  process.env["TAPECAST_BIN"] ??= "../target/release/tapecast";
  if (existsSync(process.env["TAPECAST_BIN"])) {
    const trades = Math.ceil(rate / UPDATES_PER_TRADE);
    const server = (await Server.onFreePort("--symbols", String(ROWS), "--rate", String(trades), "--quotes-per-trade", "1")).givesWay();
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

/** All rows at the pace of every tick. */
async function openAll(origin: string): Promise<Page> {
  const assets = (await (await fetch(`${origin}/v2/assets`)).json()) as readonly { readonly symbol: string }[];
  const page = await browser.page(WIDE);
  await page.addInitScript(() => {
    localStorage.setItem("tapecast.settings", JSON.stringify({ conflateMs: 0 }));
  });
  await page.goto(`${origin}/?list=${assets.slice(-ROWS).map(({ symbol }) => symbol).join(",")}`);
  // Until bars, names and code are there and warm.
  await page.waitForTimeout(10_000);
  return page;
}

/** From the navigation to the frame after the one in which a price was written: it is on the screen then. */
async function first(origin: string): Promise<void> {
  const took: number[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const page = await browser.page(WIDE);
    await page.addInitScript(() => {
      const look = () => {
        if (!/\d/.test(document.querySelector(".ag-row .c-last")?.textContent ?? "")) requestAnimationFrame(look);
        else requestAnimationFrame(() => performance.mark("price-seen"));
      };
      requestAnimationFrame(look);
    });
    await page.goto(origin);
    const seen = await page.waitForFunction(() => performance.getEntriesByName("price-seen")[0]?.startTime, undefined, { timeout: 120_000 });
    took.push((await seen.jsonValue()) ?? Number.NaN);
    await page.context().close();
  }
  out(`first prices, each time in a fresh profile: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  hold("first prices painted", Math.max(...took), 1_000, "ms");
}

/** First what the page works, then its frames: to count them is to ask for sixty a second, which is work that the page has not. */
async function load(page: Page): Promise<void> {
  const work = await counted(page, () => trace(page, seconds));
  await watchFrames(page);
  // Until what waited while the trace was read has been worked off.
  await page.waitForTimeout(1_000);
  const frames = await counted(page, async () => {
    await takeFrames(page);
    await page.waitForTimeout(seconds * 1_000);
    return await takeFrames(page);
  });
  out(`${ROWS} rows, every tick, ${seconds} s and again: ${work.rate.toFixed(0)}, ${frames.rate.toFixed(0)} updates/s, gaps ${await figureOf(page, "meter-gaps")}`);
  out(`  ${(frames.count / seconds).toFixed(1)} frames/s, longest ${frames.longest.toFixed(0)} ms; longest task ${work.longestMs.toFixed(0)} ms`);
  out(`  processor time of the main thread ${(work.cpu * 100).toFixed(1)}%, of which ms/s: ${work.parts.map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(", ")}`);
  hold("main thread busy", work.busy * 100, 50, "%");
  hold("frames over 50 ms", frames.over50, 0, "");
  hold("tasks over 50 ms", work.long, 0, "");
  const least = Math.min(work.rate, frames.rate);
  if (least < rate) broken.push(`only ${least.toFixed(0)} updates/s arrived`);
}

/** What an act finds, and how many updates a second arrived meanwhile: the mean of what the page said every few seconds. */
async function counted<Found extends object>(page: Page, act: () => Promise<Found>): Promise<Found & { readonly rate: number }> {
  const readings: Promise<number>[] = [];
  const reader = setInterval(() => readings.push(figureOf(page, "meter-rate")), READ_MS);
  const found = await act();
  clearInterval(reader);
  const rates = await Promise.all(readings);
  return { ...found, rate: rates.reduce((sum, read) => sum + read, 0) / rates.length };
}

/** After so many minutes, against the first: by then the tape and the sparklines are full. */
async function heap(page: Page): Promise<void> {
  await page.waitForTimeout(60_000);
  const sizes = [await heapOf(page)];
  for (let minute = 1; minute <= minutes; minute += 1) {
    await page.waitForTimeout(60_000);
    sizes.push(await heapOf(page));
  }
  out(`heap after each minute: ${sizes.map((bytes) => (bytes / 1e6).toFixed(2)).join(" ")} MB`);
  const [start, end] = [sizes[0] ?? 1, sizes.at(-1) ?? 1];
  hold(`heap after ${minutes} min`, (end / start - 1) * 100, 10, "%");
}

/** From the server's answer to `/readyz` to the first price that is another than before its death. */
async function reconnects(server: Upstream): Promise<void> {
  const page = await browser.open(server.origin, WIDE);
  const took: number[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    await page.waitForFunction(() => document.body.dataset["state"] === "OPEN");
    await server.kill();
    // Another time of the back-off each time.
    await page.waitForTimeout(1_000 + tries * 2_300);
    await server.start();
    const from = performance.now();
    const old = await text(page, ".ag-row .c-last");
    await page.waitForFunction((price) => document.body.dataset["state"] === "OPEN" && document.querySelector(".ag-row .c-last")?.textContent !== price, old, { polling: "raf" });
    took.push(performance.now() - from);
  }
  out(`back after the server's return: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  hold("back with prices", Math.max(...took), 2_000, "ms");
  await page.context().close();
}

out(`${new Date().toISOString().slice(0, 16)}  ${cpus().length} cores of ${cpus()[0]?.model ?? "?"}  ${execFileSync("uname", ["-sr"]).toString().trim()}  load ${loadavg()[0]?.toFixed(1) ?? "?"}`);
const server = await upstream();
await server.start();
const browser = await Browser.start();
if (wants("first")) await first(server.origin);
if (wants("load") || wants("heap")) {
  const page = await openAll(server.origin);
  if (wants("load")) await load(page);
  if (wants("heap")) await heap(page);
  await page.context().close();
}
if (wants("return")) await reconnects(server);
await browser.stop();
await server.kill();
out(`load after ${loadavg()[0]?.toFixed(1) ?? "?"}`);
if (broken.length > 0) out(`broken: ${broken.join(", ")}`);
process.exit(broken.length > 0 ? 1 : 0);
