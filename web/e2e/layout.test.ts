import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { dashboards, DEADLINE, waitForFrames, lastOf, rowOf, selected, STILL, text } from "./dashboard-page";
import { overflowOf, watchShifts } from "./layout";

/** Layout: no shifts, no overflow, animations only where permitted. */

const open = dashboards();

/** A figure that did not change for this long is at rest. */
const REST_MS = 3_100;

test("a price that changes its length or sign causes no layout shift", async () => {
  const edges = [0.99, 9.98, 99.9, 999.6];
  const { page, server } = await open({ market: STILL, query: "?list=EDGE0,EDGE1,EDGE2,EDGE3&symbol=EDGE3" });
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  const shifts = await watchShifts(page);

  for (const factor of [1.012, 0.988, 1.014, 0.999]) {
    edges.forEach((edge, digits) => {
      server.print(`EDGE${digits}`, Math.round(edge * factor * 100) / 100);
    });
    const written = (999.6 * factor).toLocaleString("en-US", { maximumFractionDigits: 2, minimumFractionDigits: 2 });
    await expect.poll(() => text(page, lastOf("EDGE3")), DEADLINE).toBe(written);
    await expect.poll(() => text(page, ".headline-last"), DEADLINE).toBe(written);
    await expect.poll(() => text(page, ".sales-row:first-child .sales-price"), DEADLINE).toBe(written);
  }

  expect(await shifts()).toEqual([]);
});

test("a company's name that comes after the price causes no layout shift", async () => {
  const { page } = await open();
  await expect.poll(() => text(page, ".headline-name"), DEADLINE).not.toBe("");
  const shifts = await watchShifts(page);

  await page.locator(".headline-name").evaluate((name) => {
    name.textContent = "A company whose name is much longer than before";
  });

  expect(await shifts()).toEqual([]);
});

test("a busy market causes no layout shift", async () => {
  const { page } = await open();
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
  const shifts = await watchShifts(page);

  await waitForFrames(page, 12);

  expect(await shifts()).toEqual([]);
});

/** Heights of common screens, which are laid out by height too. */
const heightOf = (width: number) => ({ 2560: 1440, 3440: 1440, 3840: 2160 })[width] ?? Math.max(740, Math.round(width * 0.5625));

/** What is cut or covered: cells and headers beyond their grid, figures beyond their cell, controls beyond their panel. */
async function cutOf(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const beyond = (inner: string, outer: string, slack: number) =>
      [...document.querySelectorAll(inner)].filter((element) => {
        const box = element.closest(outer)?.getBoundingClientRect();
        const { left, right, width } = element.getBoundingClientRect();
        return box !== undefined && width > 0 && (right > box.right + slack || left < box.left - slack);
      }).map((element) => `${element.outerHTML.slice(0, 90)} in ${outer}`);
    return [
      ...beyond(".ag-header-cell", ".ag-grid-viewport", 0.5),
      ...beyond(".ag-cell", ".ag-grid-viewport", 0.5),
      ...beyond(".ag-row .figure", ".ag-cell", 0.5),
      ...beyond(".sales-row:not([hidden]) span", ".sales-row", 0.5),
      ...beyond(".intervals, .headline-price, .headline > *, .panel-head > *, .counters dd", ".panel", 0.5),
    ];
  });
}

/** The ids of the columns that are shown. */
const columnsOf = (page: Page) =>
  page.locator(".ag-header-cell:visible").evaluateAll((cells) => cells.map((cell) => cell.getAttribute("col-id")));

/** The part of the board's height that no panel covers, in percent. */
const emptyOf = (page: Page) =>
  page.locator("#board").evaluate((board) => {
    const { top, height } = board.getBoundingClientRect();
    const bottoms = [...board.querySelectorAll(":scope > .panel")].map((panel) => panel.getBoundingClientRect().bottom);
    return Math.round((100 * (top + height - Math.max(...bottoms))) / height);
  });

test.each(["en-US", "zh-CN"])("from 320 to 3840 pixels no column and no control is cut, and no part of the board is empty: %s", async (locale) => {
  const { page } = await open({ context: { locale } });
  const shown: Record<number, number> = {};
  const common = [320, 360, 390, 430, 600, 639, 640, 700, 768, 820, 900, 1024, 1079, 1080, 1081, 1100, 1150, 1200, 1240, 1280, 1366, 1440];
  for (const width of [...common, 1680, 1920, 2200, 2399, 2400, 2559, 2560, 2720, 2880, 3199, 3200, 3320, 3440, 3840]) {
    await page.setViewportSize({ width, height: heightOf(width) });
    const state = async () => ({ width, cut: await cutOf(page), ...(await overflowOf(page)) });
    await expect.poll(state, DEADLINE).toEqual({ width, cut: [], scrollWidth: width, sticking: [] });
    expect(await emptyOf(page)).toBeLessThanOrEqual(3);
    shown[width] = (await columnsOf(page)).length;
  }

  const all = 11;
  expect(shown).toMatchObject({ 1440: all, 1920: all, 2560: all, 2880: all, 3200: all, 3440: all, 3840: all });
  expect(Math.min(...Object.values(shown))).toBeGreaterThanOrEqual(3);
});

test.each([
  [2560, 1080],
  [3440, 1440],
])("on an ultra-wide screen of %d × %d all columns are beside the chart", async (width, height) => {
  const { page } = await open({ context: { viewport: { width, height } } });
  await expect.poll(() => cutOf(page), DEADLINE).toEqual([]);

  expect((await columnsOf(page)).length).toBe(11);
  const [chart, list] = await Promise.all([page.locator(".chart").boundingBox(), page.locator("#watchlist").boundingBox()]);
  expect(chart?.x).toBeGreaterThan((list?.x ?? 0) + (list?.width ?? 0));
});

test("a column that is asked for takes the place of others, and the user's columns are not lost on a small screen", async () => {
  const { page } = await open({ context: { viewport: { width: 1100, height: 740 } } });
  await expect.poll(() => columnsOf(page), DEADLINE).not.toContain("range");
  await page.click("#columns-button");
  await page.locator("#columns label", { hasText: "Day range" }).click();
  await page.locator("#columns label", { hasText: "Volume" }).click();
  await page.keyboard.press("Escape");

  await expect.poll(() => columnsOf(page), DEADLINE).toContain("range");
  await expect.poll(() => cutOf(page), DEADLINE).toEqual([]);
  await page.setViewportSize({ width: 1600, height: 900 });
  await expect.poll(async () => (await columnsOf(page)).length, DEADLINE).toBe(10);
  expect(await columnsOf(page)).not.toContain("volume");
});

test("a tap on a phone brings the chart that it changes into view", async () => {
  const { page } = await open({ query: "?list=AAPL,MSFT,TSLA,KO", context: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } });
  await page.locator("#watchlist").evaluate((box) => { box.scrollIntoView({ block: "start" }); });
  await page.locator(rowOf("TSLA")).tap();

  await expect.poll(() => selected(page), DEADLINE).toBe("TSLA");
  const seen = () => page.locator(".chart").evaluate((chart) => {
    const { top, bottom } = chart.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  await expect.poll(seen, DEADLINE).toBe(true);
});

test("in forced colours up and down differ in shape", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO", context: { forcedColors: "active" } });
  const shape = (selector: string) =>
    page.evaluate((selector) => getComputedStyle(document.querySelector(selector) ?? document.body, "::before").content, selector);
  // The fake market's quote is around the last price: a trade above it is a purchase, one below it a sale.
  for (const [price, mark] of [[229, '"▲"'], [227, '"▼"']] as const) {
    server.print("AAPL", price);
    await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe(`${price}.00`);
    await expect.poll(() => shape("#sales-rows .sales-row .sales-price"), DEADLINE).toBe(mark);
  }
  // A bar of one trade has no direction.
  let price = 227;
  const fall = () => {
    server.print("AAPL", (price -= 1));
    return shape(".legend");
  };
  await expect.poll(fall, DEADLINE).toBe('"▼"');
  await expect.poll(() => page.locator(rowOf("AAPL")).evaluate((row) => getComputedStyle(row, "::after").borderTopStyle), DEADLINE).toBe("solid");
});

test.each([360, 768, 1280, 1920, 3840])("at %d pixels nothing overflows, connected or not", async (width) => {
  const { page, server } = await open({ context: { viewport: { width, height: Math.max(740, width * 0.55) } } });
  await expect.poll(() => overflowOf(page), DEADLINE).toEqual({ scrollWidth: width, sticking: [] });

  // The longest reason.
  server.closeAll(1007, "cannot inflate message");
  await page.locator("#connection-retry").waitFor();
  await expect.poll(() => overflowOf(page), DEADLINE).toEqual({ scrollWidth: width, sticking: [] });
});

test("with reduced motion nothing is animated", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO", context: { reducedMotion: "reduce" } });
  server.print("AAPL", 230);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("230.00");
  server.print("AAPL", 231);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("231.00");

  const moving = await page.evaluate(() => document.getAnimations().map((one) => (one instanceof CSSAnimation ? one.animationName : "a transition")));
  expect(moving).toEqual([]);
  // The stages go on, and show nothing.
  let price = 231;
  await expect.poll(async () => {
    server.print("AAPL", (price += 1));
    const stage = await page.locator(`${lastOf("AAPL")} .figure`).getAttribute("data-flash");
    return stage ?? "";
  }, { ...DEADLINE, interval: REST_MS }).toMatch(/^up-/);
  expect(await page.locator(`${lastOf("AAPL")} .figure`).evaluate((figure) => getComputedStyle(figure).backgroundColor)).toBe("rgba(0, 0, 0, 0)");
});

test("without reduced motion a price flashes and the ticker tape runs", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO" });
  const recorded = await page.evaluateHandle(() => {
    const stages: string[] = [];
    new MutationObserver((changes) => {
      for (const { target } of changes) stages.push((target as HTMLElement).dataset["flash"] ?? "");
    }).observe(document.querySelector("[row-id=AAPL] .c-last .figure") ?? document.body, { attributeFilter: ["data-flash"] });
    return stages;
  });
  let price = 202;
  // A figure at rest flashes. On a busy machine a flash may skip the dim stage; then the next one is checked.
  const flash = async () => {
    server.print("AAPL", (price -= 1));
    return (await recorded.jsonValue()).join(" ");
  };
  await expect.poll(flash, { ...DEADLINE, interval: REST_MS }).toContain("down-lit down-dim down-out");
  await expect.poll(() => page.evaluate(() => document.querySelector("#strip-run")?.getAnimations().length), DEADLINE).toBe(1);
});

test.each([
  [360, 740],
  [820, 1180],
  [1100, 700],
] as const)("a notice covers nothing of a panel, %d × %d", async (width, height) => {
  const { page } = await open({ market: STILL, query: "?list=AAPL,NOPE1,NOPE2,NOPE3,NOPE4,NOPE5,NOPE6", context: { viewport: { width, height } } });
  await page.locator("#notice:popover-open").waitFor();
  const panelHeight = () => page.locator(".side-panel:not([hidden])").evaluate((panel) => panel.clientHeight);
  const isCovered = () =>
    page.evaluate(() => {
      const boxes = ["#notice", ".side-panel:not([hidden])"].map((selector) => document.querySelector(selector)?.getBoundingClientRect());
      const [notice, panel] = boxes;
      if (notice === undefined || panel === undefined) throw new Error("not shown");
      return notice.left < panel.right && panel.left < notice.right && notice.top < panel.bottom && panel.top < notice.bottom;
    });
  for (const name of ["chat", "alerts"]) {
    await page.click(`[aria-controls=panel-${name}]`);
    await expect.poll(isCovered, DEADLINE).toBe(false);
    expect(await panelHeight()).toBeGreaterThan(300);
  }
  const before = await panelHeight();
  await page.click("#notice-close");
  await expect.poll(panelHeight, DEADLINE)[width < 640 ? "toBeGreaterThan" : "toBeGreaterThanOrEqual"](before);
});
