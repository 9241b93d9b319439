import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { FakeServer } from "../fake/server";
import { Browser, recordPage, type ContextOptions } from "./browser";

/** Takes screenshots in all themes, languages and sizes: `npm run shots [-- http://127.0.0.1:8080 [name …]]`, or `fake` as the address. */
const SHOTS: readonly { readonly name: string; readonly press?: string; readonly options: ContextOptions }[] = [
  { name: "dark", options: { colorScheme: "dark" } },
  { name: "light", options: { colorScheme: "light" } },
  { name: "settings", press: "#settings-button", options: { colorScheme: "dark" } },
  { name: "chat", press: "[aria-controls=panel-chat]", options: { colorScheme: "dark" } },
  { name: "chat-light", press: "[aria-controls=panel-chat]", options: { colorScheme: "light", viewport: { width: 1920, height: 1080 } } },
  { name: "chat-narrow", press: "[aria-controls=panel-chat]", options: { colorScheme: "dark", viewport: { width: 360, height: 740 } } },
  { name: "chat-zh", press: "[aria-controls=panel-chat]", options: { colorScheme: "light", locale: "zh-CN", viewport: { width: 390, height: 844 } } },
  { name: "alerts", press: "[aria-controls=panel-alerts]", options: { colorScheme: "dark" } },
  { name: "alerts-light", press: "[aria-controls=panel-alerts]", options: { colorScheme: "light", viewport: { width: 1920, height: 1080 } } },
  { name: "alerts-narrow", press: "[aria-controls=panel-alerts]", options: { colorScheme: "dark", viewport: { width: 360, height: 740 }, hasTouch: true } },
  { name: "alerts-zh", press: "[aria-controls=panel-alerts]", options: { colorScheme: "light", locale: "zh-CN", viewport: { width: 390, height: 844 } } },
  { name: "columns", press: "#columns-button", options: { colorScheme: "light", locale: "ja-JP" } },
  { name: "zh", options: { colorScheme: "light", locale: "zh-CN" } },
  { name: "forced", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "forced-light", options: { colorScheme: "light", forcedColors: "active", viewport: { width: 1440, height: 900 } } },
  { name: "forced-heat-map", press: "[aria-controls=panel-heat-map]", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "forced-movers", press: "[aria-controls=panel-movers]", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "forced-chat", press: "[aria-controls=panel-chat]", options: { colorScheme: "light", forcedColors: "active" } },
  { name: "forced-alerts", press: "[aria-controls=panel-alerts]", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "forced-wire", press: "[aria-controls=panel-wire]", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "forced-settings", press: "#settings-button", options: { colorScheme: "dark", forcedColors: "active" } },
  { name: "heat-map", press: "[aria-controls=panel-heat-map]", options: { colorScheme: "dark" } },
  { name: "movers", press: "[aria-controls=panel-movers]", options: { colorScheme: "light" } },
  { name: "wide", options: { colorScheme: "dark", viewport: { width: 1920, height: 1080 } } },
  { name: "wide-light", options: { colorScheme: "light", viewport: { width: 1920, height: 1080 } } },
  { name: "wall", options: { colorScheme: "dark", viewport: { width: 3840, height: 2160 } } },
  { name: "tablet", options: { colorScheme: "light", viewport: { width: 820, height: 1180 } } },
  { name: "narrow", options: { colorScheme: "dark", viewport: { width: 360, height: 740 } } },
  { name: "narrow-zh", options: { colorScheme: "light", locale: "zh-CN", viewport: { width: 360, height: 740 } } },
];

/** Common widths, in both themes and languages by turns: `npm run shots -- fake 320 390 …`. */
const WIDTHS = [320, 390, 768, 1081, 1200, 1440, 1920, 2560, 2880, 3200, 3440, 3840];
const HEIGHTS: Readonly<Record<number, number>> = { 320: 640, 390: 844, 768: 1024, 2560: 1440, 3440: 1440, 3840: 2160 };
const WIDTH_SHOTS = WIDTHS.map((width, at) => ({
  name: String(width),
  press: undefined,
  options: {
    colorScheme: at % 2 === 0 ? ("dark" as const) : ("light" as const),
    locale: at % 3 === 1 ? "zh-CN" : "en-US",
    viewport: { width, height: HEIGHTS[width] ?? Math.round(width * 0.5625) },
  },
}));

/** Time for the chart and time and sales to fill. */
const SETTLE_MS = 6_000;

/** One alert of each kind, and one that fires. */
async function setAlerts(page: Page): Promise<void> {
  for (const [kind, level] of [["0", "229.50"], ["1", "226.50"], ["2", "5"], ["3", "-2.5"], ["1", "227.60"]] as const) {
    await page.selectOption(".alert-form select", kind);
    await page.fill(".alert-form input[type=text]", level);
    await page.press(".alert-form input[type=text]", "Enter");
  }
  fake.print("AAPL", 228.1);
  fake.print("AAPL", 227.5);
}

const out = "shots";
mkdirSync(out, { recursive: true });
const [url, ...only] = process.argv.slice(2);
const fake = new FakeServer({ stepMs: 12, dist: "dist" });
await fake.start();
fake.publish("weather:new-york", { temp_c: -3.4, wind_ms: 4.1, condition: "snow", humidity: 0.71 });
fake.publish("chat:AAPL", { text: "Morning. Anyone watching the open?" }, "anna");
fake.publish("chat:AAPL", { text: "227.50 holds so far, see https://example.org/a/very/long/address/that/does/not/fit/into/a/line" }, "ben");
fake.publish("chat:AAPL", { text: "oops" }, "ben");
fake.takeBack("chat:AAPL", 3);
fake.publish("chat:AAPL", { text: "<b>not bold</b> 你好" }, "4711");
for (let line = 1; line <= 30; line += 1) fake.publish("chat:lobby", { text: `line ${line} of the lobby` }, line % 3 === 0 ? "anna" : "ben");
const browser = await Browser.start();
for (const { name, press, options } of [...SHOTS, ...WIDTH_SHOTS].filter((shot) => only.length === 0 || only.includes(shot.name))) {
  const page = await browser.page(options);
  const { errors } = await recordPage(page);
  await page.goto(url === undefined || url === "fake" ? `http://${fake.origin}` : url);
  fake.setTrading("TSLA", name === "dark" ? "halted" : "open");
  await page.waitForTimeout(SETTLE_MS);
  if (press !== undefined) {
    await page.locator(press).click();
    if (name.startsWith("alerts")) await setAlerts(page);
    if (name.startsWith("chat")) await page.locator("[data-topic='chat:AAPL']").click();
    await page.waitForTimeout(400);
  }
  const isLong = (options.viewport?.width ?? 1280) < 1080;
  await page.screenshot({ path: `${out}/${name}.png`, fullPage: isLong });
  for (const error of new Set(errors)) process.stdout.write(`${name}: ${error}\n`);
  await page.context().close();
}
await browser.stop();
await fake.kill();
