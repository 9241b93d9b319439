import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { dashboards, DEADLINE, waitForFrames, lastOf, STILL, text } from "./dashboard-page";

/** Layout: no shifts, no overflow, animations only where permitted. */

const open = dashboards();

/** Starts recording layout shifts; returns a function that reads the elements that moved. */
async function watchShifts(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    interface Shift extends PerformanceEntry {
      readonly sources: readonly { readonly node: Node | null }[];
    }
    const moved: string[] = [];
    const observer = new PerformanceObserver((list) => {
      take(list.getEntries());
    });
    const take = (entries: readonly PerformanceEntry[]) => {
      for (const { sources } of entries as readonly Shift[]) {
        moved.push(...sources.map(({ node }) => (node instanceof Element ? node.outerHTML : `text in ${node?.parentElement?.outerHTML ?? ""}`)));
      }
    };
    observer.observe({ type: "layout-shift" });
    Object.assign(globalThis, {
      shifts: () => {
        take(observer.takeRecords());
        return moved;
      },
    });
  });
  return () =>
    page.evaluate(async () => {
      // The last drawing has been laid out when the next frame begins.
      for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
      return (globalThis as unknown as { shifts: () => readonly string[] }).shifts();
    });
}

test("a price that changes its length or sign causes no layout shift", async () => {
  const edges = [0.99, 9.98, 99.9, 999.6];
  const { page, server } = await open({ market: STILL, query: "?list=EDGE0,EDGE1,EDGE2,EDGE3&symbol=EDGE3" });
  await expect.poll(() => page.locator("#chart-empty").isHidden(), DEADLINE).toBe(true);
  const shifts = await watchShifts(page);

  for (const factor of [1.012, 0.988, 1.014, 0.999]) {
    edges.forEach((edge, digits) => {
      server.print(`EDGE${digits}`, Math.round(edge * factor * 100) / 100);
    });
    const written = (999.6 * factor).toLocaleString("en-US", { maximumFractionDigits: 2, minimumFractionDigits: 2 });
    await expect.poll(() => text(page, lastOf("EDGE3")), DEADLINE).toBe(written);
    await expect.poll(() => text(page, "#headline-last"), DEADLINE).toBe(written);
    await expect.poll(() => text(page, ".sales-row:first-child .sales-price"), DEADLINE).toBe(written);
  }

  expect(await shifts()).toEqual([]);
});

test("a busy market causes no layout shift", async () => {
  const { page } = await open();
  await expect.poll(() => page.locator("#sales-rows .sales-row:visible").count(), DEADLINE).toBeGreaterThan(5);
  const shifts = await watchShifts(page);

  await waitForFrames(page, 12);

  expect(await shifts()).toEqual([]);
});

/** The width of the document and the elements that stick out of the viewport. */
async function overflowOf(page: Page): Promise<{ readonly scrollWidth: number; readonly sticking: readonly string[] }> {
  return await page.evaluate(() => {
    const isClipped = (element: Element): boolean => {
      for (let box = element.parentElement; box !== null && box !== document.body; box = box.parentElement) {
        if (getComputedStyle(box).overflowX !== "visible") return true;
      }
      return false;
    };
    const sticking = [...document.querySelectorAll("body *")].filter((element) => {
      const { right, width } = element.getBoundingClientRect();
      return width > 0 && right > innerWidth + 0.5 && !isClipped(element);
    });
    return { scrollWidth: document.documentElement.scrollWidth, sticking: sticking.map(({ outerHTML }) => outerHTML.slice(0, 100)) };
  });
}

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
  await expect.poll(() => page.locator(`${lastOf("AAPL")} .figure`).getAttribute("data-flash"), DEADLINE).toMatch(/^up-/);
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
  const flash = async () => {
    const before = (await recorded.jsonValue()).length;
    const stages = async () => (await recorded.jsonValue()).slice(before);
    server.print("AAPL", (price -= 1));
    await expect.poll(async () => (await stages()).at(-1), DEADLINE).toBe("down-out");
    return await stages();
  };

  // On a busy machine a flash may skip the dim stage; then the next flash is checked.
  await expect.poll(flash, DEADLINE).toEqual(["down-lit", "down-dim", "down-out"]);
  await expect.poll(() => page.evaluate(() => document.querySelector("#strip-run")?.getAnimations().length), DEADLINE).toBe(1);
});
