import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { FakeServer } from "../fake/server";
import { Browser } from "./browser";

/**
 * Holds the board to its promises while 200 rows take 5,000 updates a second:
 * `npm run bench:browser -- [--minutes 10] [--url http://127.0.0.1:8080] [--rows 200] [--rate 5000]`.
 * Without a url the fake server sends the ticks; it shares the machine's cores with the browser.
 */
const options = new Map(process.argv.slice(2).flatMap((word, at, all) => (word.startsWith("--") ? [[word.slice(2), all[at + 1] ?? ""]] : [])));
const minutes = Number(options.get("minutes") ?? 1);
const rows = Number(options.get("rows") ?? 200);
const rate = Number(options.get("rate") ?? 5_000);
const url = options.get("url");

const STEP_MS = 10;
/** Each step of the fake market is one ticker of the board, and for the selected symbol a trade and a quote. */
const fake = url === undefined ? new FakeServer({ stepMs: STEP_MS, perStep: Math.round((rate * STEP_MS) / 1000), dist: "dist" }) : undefined;
await fake?.start();
const origin = url ?? `http://${fake?.origin ?? ""}`;

const browser = await Browser.start({ viewport: { width: 1920, height: 1080 } });
await browser.context.addInitScript(() => {
  localStorage.setItem("tapecast.settings", JSON.stringify({ conflateMs: 0 }));
  // Frames are counted where they are drawn.
  const frames = { longest: 0, over50: 0, count: 0, last: 0 };
  Object.assign(globalThis, { frames });
  const turn = (now: number) => {
    const took = frames.last === 0 ? 0 : now - frames.last;
    frames.last = now;
    frames.count += 1;
    if (took > 50) frames.over50 += 1;
    frames.longest = Math.max(frames.longest, took);
    requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
});

const assets = (await (await fetch(`${origin}/v2/assets`)).json()) as readonly { readonly symbol: string }[];
const list = assets.slice(-rows).map(({ symbol }) => symbol);
const page = await browser.open(`${origin}/?list=${list.join(",")}`);
const cdp = await browser.context.newCDPSession(page);
// Time of the main thread itself: on a busy machine it is not charged for what others do.
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
await page.waitForTimeout(5_000);

const metrics = async (): Promise<ReadonlyMap<string, number>> => {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return new Map(metrics.map(({ name, value }) => [name, value]));
};
const heap = async (): Promise<number> => {
  await cdp.send("HeapProfiler.collectGarbage");
  return (await metrics()).get("JSHeapUsedSize") ?? 0;
};
interface Frames {
  longest: number;
  over50: number;
  count: number;
}
const takeFrames = () =>
  page.evaluate(() => {
    const { frames } = globalThis as unknown as { frames: Frames };
    const taken = { ...frames };
    frames.longest = 0;
    frames.over50 = 0;
    frames.count = 0;
    return taken;
  });
const text = async (id: string) => Number(((await page.locator(`#${id}`).textContent()) ?? "").replaceAll(",", ""));
const out = (line: string) => process.stdout.write(`${line}\n`);

out(`${new Date().toISOString().slice(0, 16)}  ${cpus().length} cores of ${cpus()[0]?.model ?? "?"}  ${execFileSync("uname", ["-sr"]).toString().trim()}`);
out(`${rows} rows, ${rate} ticks/s wanted, every tick, ${minutes} min, load before ${loadavg()[0]?.toFixed(1) ?? "?"}`);
out("  at      updates/s  main thread  script  frames/s  longest  over 50 ms  heap");
await takeFrames();
const heaps: number[] = [];
let before = await metrics();
const started = Date.now();
let lastAt = started;
const PART_MS = Math.min(30_000, (minutes * 60_000) / 2);
while (Date.now() - started < minutes * 60_000 - 100) {
  await page.waitForTimeout(PART_MS);
  const [after, frames, rateNow] = [await metrics(), await takeFrames(), await text("meter-rate")];
  const seconds = (Date.now() - lastAt) / 1_000;
  const grew = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const share = (name: string) => `${((grew(name) / seconds) * 100).toFixed(1)}%`;
  const bytes = await heap();
  heaps.push(bytes);
  before = await metrics();
  lastAt = Date.now();
  await takeFrames();
  const at = `${((Date.now() - started) / 1_000).toFixed(0)} s`;
  const cells = [at, String(rateNow), share("TaskDuration"), share("ScriptDuration"), (frames.count / seconds).toFixed(1), `${frames.longest.toFixed(0)} ms`, String(frames.over50), `${(bytes / 1e6).toFixed(1)} MB`];
  out(cells.map((cell, place) => cell.padStart([7, 10, 12, 8, 9, 9, 11, 9][place] ?? 8)).join(" "));
}
const [first, last] = [heaps[0] ?? 1, heaps.at(-1) ?? 1];
out(`heap ${((last / first - 1) * 100).toFixed(1)}% from first to last, gaps ${await text("meter-gaps")}, load after ${loadavg()[0]?.toFixed(1) ?? "?"}`);
await browser.stop();
await fake?.kill();
process.exit(0);
