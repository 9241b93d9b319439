import { mkdirSync } from "node:fs";
import { FakeServer } from "../fake/server";
import { Browser, watch, type BrowserOptions } from "./browser";

/** Takes pictures of the board in all its clothes: `npm run shots [-- http://127.0.0.1:8080]`. */
const SHOTS: readonly { readonly name: string; readonly press?: string; readonly options: BrowserOptions }[] = [
  { name: "dark", options: { colorScheme: "dark" } },
  { name: "light", options: { colorScheme: "light" } },
  { name: "settings", press: "#settings-button", options: { colorScheme: "dark" } },
  { name: "columns", press: "#columns-button", options: { colorScheme: "light", locale: "ja-JP" } },
  { name: "zh", options: { colorScheme: "light", locale: "zh-CN" } },
  { name: "wide", options: { colorScheme: "dark", viewport: { width: 1920, height: 1080 } } },
  { name: "wall", options: { colorScheme: "dark", viewport: { width: 3840, height: 2160 } } },
  { name: "tablet", options: { colorScheme: "light", viewport: { width: 820, height: 1180 } } },
  { name: "narrow", options: { colorScheme: "dark", viewport: { width: 360, height: 740 } } },
];

const out = "shots";
mkdirSync(out, { recursive: true });
const fake = new FakeServer({ stepMs: 12, dist: "dist" });
await fake.start();
const origin = process.argv[2] ?? `http://${fake.origin}`;
const only = process.argv.slice(3);
for (const { name, press, options } of SHOTS.filter((shot) => only.length === 0 || only.includes(shot.name))) {
  const browser = await Browser.start(options);
  const page = await browser.context.newPage();
  const seen = watch(page);
  await page.goto(origin);
  await page.waitForTimeout(5_000);
  if (name === "dark" && process.argv[2] === undefined) fake.halt("TSLA", "stop");
  await page.waitForTimeout(1_000);
  if (press !== undefined) {
    await page.locator(press).click();
    await page.waitForTimeout(400);
  }
  await page.screenshot({ path: `${out}/${name}.png`, fullPage: name === "narrow" || name === "tablet" });
  for (const complaint of new Set(seen.complaints)) process.stdout.write(`${name}: ${complaint}\n`);
  await browser.stop();
}
await fake.kill();
