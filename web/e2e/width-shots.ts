import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FakeServer } from "../fake/server";
import { listedPanels } from "./all-panels";
import { Browser, recordPage } from "./browser";

/**
 * Takes a picture at each width in English and Chinese, and a contact sheet of all of them:
 * `npm run shots:widths [-- all] [-- FOLDER]`. With `all`, every panel is on the board.
 */
const WIDTHS = [320, 360, 768, 1024, 1100, 1280, 1440, 1920, 2559, 2560, 2880, 3440, 3840];
const HEIGHTS: Readonly<Record<number, number>> = { 320: 640, 360: 740, 768: 1024, 1024: 768, 2559: 1440, 2560: 1440, 3440: 1440, 3840: 2160 };
const LOCALES = ["en-US", "zh-CN"];

/** Time for the chart and time and sales to fill. */
const SETTLE_MS = 3_500;
/** The width of a picture in the contact sheet. */
const THUMB = 620;

const args = process.argv.slice(2);
const withAll = args.includes("all");
const out = args.find((arg) => arg !== "all") ?? (withAll ? "shots/widths-all" : "shots/widths");
mkdirSync(out, { recursive: true });
const fake = new FakeServer({ stepMs: 12, dist: "dist" });
await fake.start();
const browser = await Browser.start();
const names: string[] = [];
for (const width of WIDTHS) {
  for (const [at, locale] of LOCALES.entries()) {
    const viewport = { width, height: HEIGHTS[width] ?? Math.round(width * 0.5625) };
    const page = await browser.page({ viewport, locale, colorScheme: at === 0 ? "dark" : "light", hasTouch: width < 800 });
    const { errors } = await recordPage(page);
    await page.goto(`http://${fake.origin}/?list=AAPL,MSFT,NVDA,TSLA,AMZN,GOOGL,META,JPM,KO,EDGE3`);
    if (withAll) {
      const open = (await listedPanels(page)).map(({ id }) => id);
      await page.evaluate((open) => {
        localStorage.setItem("tapecast.layout", JSON.stringify({ open, trees: {} }));
      }, open);
      await page.reload();
    }
    await page.waitForTimeout(SETTLE_MS);
    const name = `${width}-${locale.slice(0, 2)}`;
    names.push(name);
    await page.screenshot({ path: `${out}/${name}.png`, fullPage: width < 1080 });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wider > 0) process.stdout.write(`${name}: the page is ${wider} px wider than the window\n`);
    for (const error of new Set(errors)) process.stdout.write(`${name}: ${error}\n`);
    await page.context().close();
  }
}
writeFileSync(`${out}/index.html`, `<body style="display:flex;flex-wrap:wrap;gap:10px;font:16px sans-serif">${names.map((name) => `<figure style="margin:0"><figcaption>${name}</figcaption><img src="${name}.png" width="${THUMB}"></figure>`).join("")}`);
const sheet = await browser.page({ viewport: { width: THUMB * 2 + 40, height: 900 } });
await sheet.goto(pathToFileURL(resolve(out, "index.html")).href);
await sheet.screenshot({ path: `${out}/contact-sheet.png`, fullPage: true });
await browser.stop();
await fake.kill();
