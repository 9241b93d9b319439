import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { lowContrasts } from "./contrast";
import { dashboards, DEADLINE, lastOf, rowOf, STILL, text } from "./dashboard-page";

/** What colours and flashes stand for, contrast, forced colours, popovers at their buttons, windows of panels, paper. */

const open = dashboards();

const STAGES = ["up-lit", "down-lit", "up-dim", "down-dim", "up-out"] as const;
const SIGNS = ["up", "down", "flat"] as const;

/** The computed colour of a custom property. */
const colourOf = (page: Page, name: string) =>
  page.evaluate((name) => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, name);

const colour = (page: Page, selector: string) => page.locator(selector).first().evaluate((node) => getComputedStyle(node).color);

test("a row has the colour of its day, whatever its last tick was, and quotes have none", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO&symbol=AAPL" });
  const close = Number(await page.evaluate(() => {
    const [last = 0, change = 0] = [".c-last", "[col-id=change]"].map((one) => Number(document.querySelector(`[row-id=AAPL] ${one}`)?.textContent.replace("−", "-")));
    return (last - change).toFixed(2);
  }));
  const [up, down, plain] = await Promise.all(["--up", "--down", "--text"].map((name) => colourOf(page, name)));
  const parts = [lastOf("AAPL"), `${rowOf("AAPL")} [col-id=percent]`, ".headline-last", ".headline-change"].map((one) => `${one} .figure`);
  /** Prints a price, and waits until its flash is over. */
  const print = async (price: number) => {
    server.print("AAPL", price);
    await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe(price.toFixed(2));
    await expect.poll(() => page.locator("[data-flash$=lit]").count(), DEADLINE).toBe(0);
  };
  const colours = async () => new Set(await Promise.all(parts.map((one) => colour(page, one))));
  const stroke = () => page.locator(`${rowOf("AAPL")} .sparkline path:last-child`).evaluate((path) => getComputedStyle(path).stroke);

  await print(close + 5);
  await print(close + 3);
  expect(await colours(), "a falling tick of a rising day").toEqual(new Set([up]));
  expect(await stroke()).toBe(up);

  await print(close - 4);
  await print(close - 2);
  expect(await colours(), "a rising tick of a falling day").toEqual(new Set([down]));
  expect(await stroke()).toBe(down);
  expect(await colour(page, `${rowOf("AAPL")} .c-quote .figure`)).toBe(plain);
  await expect.poll(() => page.locator(`${rowOf("AAPL")} .sparkline-close`).getAttribute("d"), DEADLINE).toMatch(/^M0,[\d.]+H/);
});

test("in a busy market few figures are lit at once, and none all the time", async () => {
  const { page } = await open({ market: { stepMs: 4, perStep: 12, dist: "dist" }, query: "?list=AAPL,MSFT,NVDA,TSLA,AMZN,GOOGL,META,JPM,XOM,KO" });
  await page.locator("#refresh").fill("0");
  await expect.poll(() => text(page, "#refresh-text"), DEADLINE).toBe("every tick");
  const frames = 400;
  const { lit, changes } = await page.evaluate(async (frames) => {
    const figures = [...document.querySelectorAll<HTMLElement>(".ag-row .c-last .figure")];
    const lit = figures.map(() => 0);
    const changes = figures.map(() => 0);
    let before: (string | null)[] = [];
    for (let frame = 0; frame < frames; frame += 1) {
      await new Promise(requestAnimationFrame);
      const texts = figures.map(({ textContent }) => textContent);
      figures.forEach(({ dataset }, at) => {
        if (/-(lit|dim)$/.test(dataset["flash"] ?? "")) lit[at] = (lit[at] ?? 0) + 1;
        if (texts[at] !== before[at]) changes[at] = (changes[at] ?? 0) + 1;
      });
      before = texts;
    }
    return { lit, changes };
  }, frames);

  expect(Math.min(...changes), "every figure changes often").toBeGreaterThan(frames / 20);
  expect(lit.reduce((sum, one) => sum + one, 0), "some flash").toBeGreaterThan(0);
  expect(Math.max(...lit), "none is lit most of the time").toBeLessThan(frames / 2);
});

test.each([
  ["dark", "green"],
  ["dark", "red"],
  ["light", "green"],
  ["light", "red"],
] as const)("all text has a contrast of 4.5 : 1 in %s mode with rising prices in %s, also on lit figures", async (colorScheme, rise) => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,MSFT,TSLA,KO,NOPE", context: { colorScheme, viewport: { width: 1600, height: 1000 } } });
  await page.evaluate((rise) => {
    document.documentElement.dataset["rise"] = rise;
  }, rise);
  server.setTrading("TSLA", "halted");
  for (const [price, size] of [[228, 300], [229, 20], [227, 400], [226, 10]] as const) server.print("AAPL", price, size);
  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();
  await page.hover(rowOf("KO"));

  for (const panel of ["heat-map", "movers", "chat", "alerts", "wire"]) {
    await page.click(`[aria-controls=panel-${panel}]`);
    await page.locator(`#panel-${panel}`).waitFor();
    if (panel === "heat-map") await page.locator(".heat-tiles .tile").first().waitFor();
    if (panel === "movers") await page.locator(".mover[data-symbol]").first().waitFor();
    expect(await lowContrasts(page, `#panel-${panel}`), panel).toEqual([]);
    await page.keyboard.press("Escape");
  }
  for (const stage of STAGES) {
    for (const sign of SIGNS) {
      await page.evaluate(([stage, sign]) => {
        for (const { dataset } of document.querySelectorAll<HTMLElement>(".figure")) {
          dataset["flash"] = stage;
          if (dataset["sign"] !== undefined) dataset["sign"] = sign;
        }
      }, [stage, sign] as const);
      expect(await lowContrasts(page, "body"), `${stage}, a day that is ${sign}`).toEqual([]);
    }
  }
  for (const button of ["#settings-button", "#columns-button", "#panels-button"]) {
    await page.click(button);
    expect(await lowContrasts(page, ".popover:popover-open"), button).toEqual([]);
    await page.keyboard.press("Escape");
  }
});

test("with forced colours the selection, ticks, candles and tiles tell by shape", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO&symbol=AAPL", context: { forcedColors: "active", viewport: { width: 1600, height: 1000 } } });
  const contentOf = (selector: string) => page.locator(selector).first().evaluate((node) => getComputedStyle(node, "::before").content);
  const [panel, highlight] = await page.evaluate(() => ["Canvas", "Highlight"].map((name) => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.forcedColorAdjust = "none";
    probe.style.color = name;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }));
  const frame = await page.locator(rowOf("AAPL")).evaluate((row) => {
    const { borderTopStyle, borderTopColor } = getComputedStyle(row, "::after");
    return { borderTopStyle, borderTopColor };
  });
  expect(frame).toEqual({ borderTopStyle: "solid", borderTopColor: highlight });
  expect(panel).not.toBe(highlight);

  const figure = `${lastOf("AAPL")} .figure`;
  for (const [stage, content] of [["up-lit", '"▲"'], ["down-dim", '"▼"'], ["down-out", "none"]] as const) {
    await page.locator(figure).evaluate(({ dataset }, stage) => {
      dataset["flash"] = stage;
    }, stage);
    expect(await contentOf(figure), stage).toBe(content);
  }
  server.print("AAPL", 227, 300);
  const sale = page.locator("#sales-rows .sales-row:visible").first();
  await sale.waitFor();
  for (const [side, content] of [["buy", '"▲"'], ["sell", '"▼"']] as const) {
    expect(await sale.evaluate((row, side) => {
      row.dataset["side"] = side;
      return getComputedStyle(row.querySelector(".sales-price") ?? row, "::before").content;
    }, side)).toBe(content);
  }
  expect(await contentOf(".sales-sides [data-side=sell]")).toBe('"▼"');

  await page.click("[aria-controls=panel-heat-map]");
  for (const [heat, mark, style] of [["-", '"▼"', "dashed"], ["1", '"▲"', "solid"]] as const) {
    const tile = `.heat-tiles .tile[data-heat^="${heat}"]:not([aria-current])`;
    await page.locator(tile).first().waitFor();
    expect(await contentOf(tile)).toBe(mark);
    expect(await page.locator(tile).first().evaluate((node) => getComputedStyle(node).borderTopStyle)).toBe(style);
  }
});

test.each([
  [360, 740],
  [1440, 900],
  [2560, 1440],
])("each popover opens at its button and inside the window, %d pixels wide", async (width, height) => {
  const { page } = await open({ market: STILL, query: "?list=AAPL,KO", context: { viewport: { width, height } } });
  await page.locator("#panel-sales .panel-menu-button").waitFor();
  for (const selector of ["#settings-button", "#columns-button", "#panels-button", "#panel-watchlist .panel-menu-button", "#panel-sales .panel-menu-button", "#panel-chart .panel-menu-button:not(.pin)"]) {
    const button = page.locator(selector);
    await button.scrollIntoViewIfNeeded();
    await button.click();
    const popover = page.locator(".popover:popover-open");
    await popover.waitFor();
    const [at, box] = [await button.boundingBox(), await popover.boundingBox()];
    if (at === null || box === null) throw new Error("no box");
    expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, `${selector} inside`).toBe(true);
    const isBeside = Math.abs(box.y - at.y - at.height) <= 8 || Math.abs(at.y - box.y - box.height) <= 8;
    const isAligned = Math.abs(box.x - at.x) <= 8 || Math.abs(box.x + box.width - at.x - at.width) <= 8 || width < 640;
    expect([isBeside, isAligned], `${selector} at ${JSON.stringify([at, box])}`).toEqual([true, true]);
    await page.keyboard.press("Escape");
    await popover.waitFor({ state: "hidden" });
  }
});

test("the settings leave most of the trades in sight, and list the shortcuts when asked", async () => {
  const { page } = await open({ market: STILL, context: { viewport: { width: 1440, height: 900 } } });
  await page.click("#settings-button");
  const [settings, sales] = [await page.locator("#settings").boundingBox(), await page.locator("#panel-sales").boundingBox()];
  const top = Math.max(settings?.y ?? 0, sales?.y ?? 0);
  const hidden = Math.min((settings?.y ?? 0) + (settings?.height ?? 0), (sales?.y ?? 0) + (sales?.height ?? 0)) - top;
  expect(hidden).toBeLessThan(0.7 * (sales?.height ?? 0));

  expect(await page.locator(".key-list").isVisible()).toBe(false);
  await page.locator(".key-help summary").press("Enter");
  expect(await page.locator(".key-list").isVisible()).toBe(true);
});

test("a panel's own window follows the standards, with the page's style, font, theme and language", async () => {
  const { page, log } = await open({ market: STILL, query: "?list=AAPL,KO", context: { colorScheme: "light", locale: "zh-CN", viewport: { width: 1600, height: 1000 } } });
  await page.locator("#panel-watchlist .panel-menu-button").click();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator(".panel-menu:popover-open .menu-choice", { hasText: "在窗口中打开" }).click()]);
  await expect.poll(() => popup.title(), DEADLINE).toBe("自选股");
  const [own, others] = await Promise.all([page, popup].map((one) => one.evaluate(() => {
    const { fontFamily, fontSize, lineHeight, color } = getComputedStyle(document.querySelector(".c-name") ?? document.querySelector(".sales-head") ?? document.body);
    return { mode: document.compatMode, language: document.documentElement.lang, theme: document.documentElement.dataset["theme"], ground: getComputedStyle(document.body).backgroundColor, fontFamily, fontSize, lineHeight: lineHeight !== "", color };
  })));
  expect(others?.mode).toBe("CSS1Compat");
  await expect.poll(() => popup.evaluate(() => getComputedStyle(document.body).backgroundColor), DEADLINE).toBe(own?.ground);
  expect(others).toMatchObject({ language: "zh-CN", theme: own?.theme, fontFamily: own?.fontFamily });
  expect(log.violations).toEqual([]);
});

test("a font that comes late moves nothing", async () => {
  const { page } = await open({ market: STILL, query: "?list=AAPL,KO" });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*.woff2", async (route) => {
    await released;
    await route.continue();
  });
  await page.reload({ waitUntil: "commit" });
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toMatch(/^[\d,.]+$/);
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  const isLoaded = () => page.evaluate(() => [...document.fonts].filter(({ family, status }) => family === "Inter" && status === "loaded").length);
  expect(await isLoaded()).toBe(0);
  await page.evaluate(() => {
    const moved: string[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { sources } = entry as PerformanceEntry & { readonly sources: readonly { readonly node: Node | null }[] };
        moved.push(...sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 200) : (node?.textContent ?? ""))));
      }
    }).observe({ type: "layout-shift" });
    Object.assign(globalThis, { moved });
  });

  release();
  await expect.poll(isLoaded, DEADLINE).toBe(1);
  const moved = await page.evaluate(async () => {
    for (let frames = 0; frames < 5; frames += 1) await new Promise(requestAnimationFrame);
    return (globalThis as unknown as { readonly moved: readonly string[] }).moved;
  });
  expect(moved).toEqual([]);
  expect(await page.evaluate(() => document.fonts.check("13px Inter", "227.65"))).toBe(true);
});

const MANY = "AAPL,MSFT,NVDA,TSLA,AMZN,GOOGL,META,JPM,XOM,KO,EDGE0,EDGE1,EDGE2,EDGE3,T001,T002,T003,T004,T005,T006,T007,T008,T009,T010,T011,T012";

test("the printed page has the whole list in dark ink, the time and the address, and no buttons", async () => {
  const { page } = await open({ market: STILL, query: `?list=${MANY}`, context: { colorScheme: "dark" } });
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  const shown = await page.locator(".ag-row").count();
  expect(shown).toBeLessThan(MANY.split(",").length);

  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await expect.poll(() => page.locator(".ag-row").count(), DEADLINE).toBe(MANY.split(",").length);
  expect(await page.locator(`${rowOf("T001")} .sparkline path`).last().getAttribute("d")).not.toBe("");
  expect(await text(page, ".print-stamp")).toContain(page.url());
  expect(await page.locator(".print-stamp").isVisible()).toBe(true);
  const buttons = await page.locator("button, select, input, .strip, .top").evaluateAll((nodes) => nodes.filter((node) => node.checkVisibility()).map((node) => node.outerHTML));
  expect(buttons).toEqual([]);
  expect(await lowContrasts(page, "body")).toEqual([]);
  const last = page.locator(".ag-row").last();
  const isCut = await last.evaluate((row) => {
    const bottom = row.getBoundingClientRect().bottom;
    for (let at = row.parentElement; at !== null && at !== document.documentElement; at = at.parentElement) {
      if (getComputedStyle(at).overflow !== "visible" && at.getBoundingClientRect().bottom < bottom - 1) return at.className;
    }
    return "";
  });
  expect(isCut).toBe("");

  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({ media: "screen" });
  await expect.poll(() => page.locator(".ag-row").count(), DEADLINE).toBe(shown);
  expect(await page.locator(".print-stamp").isVisible()).toBe(false);
});
