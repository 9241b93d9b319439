import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { readSettings } from "../src/settings";
import { openAllPanels } from "./all-panels";
import { dashboards, DEADLINE, waitForFrames, waitUntilLive, lastOf, rowOf, rows, selected, STILL, symbolsOf, text } from "./dashboard-page";

/** The whole dashboard without a pointer. */

const open = dashboards();

const sortOf = (page: Page) => page.locator(".ag-header-cell[col-id=last]").getAttribute("aria-sort");

/** The hidden columns of the stored layout. */
const storedHidden = async (page: Page) => {
  const { columns } = readSettings(await page.evaluate(() => localStorage.getItem("tapecast.settings")));
  const state = JSON.parse(columns.wide ?? "[]") as { readonly colId: string; readonly hide: boolean }[];
  return state.flatMap(({ colId, hide }) => (hide ? [colId] : []));
};

/** Focuses time and sales once it is long enough to scroll. */
async function focusSales(page: Page): Promise<void> {
  await expect.poll(() => page.locator("#sales-rows").evaluate((rows) => rows.clientHeight), DEADLINE).toBeGreaterThan(800);
  await page.locator("#sales-scroll").focus();
}

const focusedId = (page: Page) => page.evaluate(() => document.activeElement?.id);

/** A recognisable name of the focused element, and whether its focus is visible. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const isRadio = element instanceof HTMLInputElement && element.type === "radio";
    const { outlineStyle, outlineWidth } = getComputedStyle(isRadio ? (element.nextElementSibling ?? element) : element);
    const place = ["header-cell", "cell"].find((part) => element.classList.contains(`ag-${part}`));
    const names = [element.id, place, element.getAttribute("name"), element.className, element.tagName];
    return { name: names.find((name) => name !== undefined && name !== null && name !== "") ?? "", isVisible: outlineStyle !== "none" && outlineWidth !== "0px" };
  });

test("Tab visits each control once, with visible focus, and leaves the grid", async () => {
  const { page } = await open({ query: "?list=AAPL,MSFT,NVDA" });
  await page.locator(".alert-add").waitFor();
  const visited: string[] = [];
  while (visited.at(-1) !== "BODY" && visited.length < 40) {
    await page.keyboard.press("Tab");
    const { name, isVisible } = await focused(page);
    visited.push(isVisible || name === "BODY" ? name : `${name}, without visible focus`);
  }

  const menu = "panel-menu-button";
  const top = ["skip", "refresh", "pause", "settings-button", "strip"];
  const chart = ["interval-chart", "button small chart-menu-button", "panel-menu-button pin", menu, "alert-handle alert-add"];
  const small = ["sales-pause", menu, "sales-filter-button", "sales-scroll", menu];
  const watchlist = ["lists", "list-new", "list-rename", "list-delete", "list-keep", "list-menu", "columns-button", "search", menu, "header-cell", "cell"];
  const foot = ["A", "panels-button", ...Array.from({ length: 6 }, () => "side-button"), "BODY"];
  expect(visited).toEqual([...top, ...chart, ...small, ...watchlist, "separator", "separator", "separator", ...foot]);
});

/**
 * The controls of each panel that Tab does not reach. Of a group of radio buttons, and of a list in which the arrow keys
 * move, one is enough.
 */
const unreached = (page: Page) =>
  page.evaluate(() => {
    const visited = (globalThis as unknown as { visited: ReadonlySet<Element> }).visited;
    const isVisited = (nodes: Iterable<Element>) => [...nodes].some((node) => visited.has(node));
    const isReached = (control: HTMLElement, panel: Element) => {
      if (visited.has(control)) return true;
      if (control instanceof HTMLInputElement && control.type === "radio") return isVisited(panel.querySelectorAll(`input[name="${control.name}"]`));
      const list = control.tabIndex < 0 ? control.closest("[role=grid], [role=tablist], .heat-tiles, ul, ol") : null;
      return list !== null && isVisited(list.querySelectorAll("*"));
    };
    return [...document.querySelectorAll(".panel")].flatMap((panel) => {
      const controls = [...panel.querySelectorAll<HTMLElement>("button, input, select, textarea, a[href], [tabindex='0']:not([role=row], [role=presentation])")];
      const usable = controls.filter((control) => control.checkVisibility({ visibilityProperty: true }) && !control.matches(":disabled"));
      return usable.filter((control) => !isReached(control, panel)).map((control) => `${panel.id}: ${control.outerHTML.slice(0, 100)}`);
    });
  });

test("Tab goes through every panel, reaches each of its controls, and is held by none", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL,KO", context: { viewport: { width: 2400, height: 1800 } } });
  const listed = await openAllPanels(page);
  server.print("AAPL", 228.5);
  await page.locator(".mover").first().waitFor();
  await page.locator(".heat-tiles .tile").first().waitFor();
  await page.evaluate(() => {
    const visited = new Set<Element>();
    document.addEventListener("focusin", ({ target }) => {
      if (target instanceof Element) visited.add(target);
    });
    Object.assign(globalThis, { visited });
  });
  const path: string[] = [];
  while (path.at(-1) !== "" && path.length < 400) {
    await page.keyboard.press("Tab");
    path.push(await page.evaluate(() => (document.activeElement === document.body ? "" : (document.activeElement?.closest(".panel")?.id ?? "page"))));
  }

  expect(path.at(-1)).toBe("");
  // Each panel is one stretch of the way: its first control comes once.
  const stretches = path.filter((id, at) => id.startsWith("panel-") && id !== path[at - 1]);
  expect([...stretches].sort()).toEqual(listed.map(({ id }) => `panel-${id}`).sort());
  expect(await unreached(page)).toEqual([]);
});

test("the keyboard searches, adds, selects and removes symbols", async () => {
  const { page } = await open({ query: "?list=AAPL,MSFT,NVDA" });
  await page.keyboard.press("ArrowDown");
  await expect.poll(() => selected(page), DEADLINE).toBe("MSFT");
  await page.keyboard.press("ArrowUp");
  await expect.poll(() => selected(page), DEADLINE).toBe("AAPL");

  await page.keyboard.press("/");
  await page.keyboard.type("in");
  await page.locator("#search-hits [role=option]", { hasText: "INTC" }).first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.type("tel");
  await page.locator("#search-hits [aria-selected=true]", { hasText: "INTC" }).waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(() => selected(page), DEADLINE).toBe("INTC");
  await page.keyboard.press("Escape");
  await expect.poll(() => new URL(page.url()).searchParams.get("list"), DEADLINE).toBe("AAPL,MSFT,NVDA,INTC");

  // Only with the focus on the row.
  await page.keyboard.press("Delete");
  await page.keyboard.press("Backspace");
  await page.locator(rowOf("INTC")).click();
  await page.keyboard.press("Backspace");
  await expect.poll(() => symbolsOf(page), DEADLINE).toEqual(["AAPL", "MSFT", "NVDA", "INTC"]);
  await page.keyboard.press("Delete");
  await expect.poll(() => page.locator(rowOf("INTC")).count(), DEADLINE).toBe(0);
  await expect.poll(() => selected(page), DEADLINE).toBe("NVDA");
});

test("an open search finds instruments once they are known", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/v2/assets", async (route) => {
    await answered;
    await route.continue();
  });
  await page.reload();
  await waitUntilLive(page);
  await page.keyboard.press("/");
  await page.keyboard.type("in");
  const hits = page.locator("#search-hits [role=option]");
  await expect.poll(() => hits.locator("b").allTextContents(), DEADLINE).toEqual(["IN"]);
  answer();
  await hits.filter({ hasText: "INTC" }).first().waitFor();
});

test("the keyboard creates, switches and deletes lists", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });
  await page.locator("#list-new").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("Energy");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#lists option:checked").textContent(), DEADLINE).toBe("Energy");
  await expect.poll(() => focusedId(page), DEADLINE).toBe("search");
  await page.keyboard.type("XOM");
  await page.locator("#search-hits [aria-selected=true]", { hasText: "XOM" }).waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, lastOf("XOM")), DEADLINE).toMatch(/\d/);

  await page.keyboard.press("Escape");
  await page.keyboard.press("]");
  await expect.poll(() => rows(page), DEADLINE).toBe(2);
  await page.keyboard.press("[");
  await expect.poll(() => rows(page), DEADLINE).toBe(1);
  await page.locator("#list-delete").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => rows(page), DEADLINE).toBe(2);
});

test("the keyboard controls refresh interval, pause, candle length, time and sales, ticker tape and settings", async () => {
  const { page } = await open();
  await page.locator("#refresh").focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => text(page, "#refresh-text"), DEADLINE).toBe("every 500 ms");
  await page.keyboard.press("Home");
  await expect.poll(() => text(page, "#refresh-text"), DEADLINE).toBe("every tick");

  await page.locator("#sales-scroll").focus();
  await page.keyboard.press(" ");
  await expect.poll(() => page.locator("#pause").getAttribute("aria-pressed"), DEADLINE).toBe("true");
  await page.keyboard.press(" ");
  await expect.poll(() => page.locator("#pause").getAttribute("aria-pressed"), DEADLINE).toBe("false");

  await page.keyboard.press("3");
  await expect.poll(() => new URL(page.url()).searchParams.get("interval"), DEADLINE).toBe("60");
  await page.locator(".intervals input:checked").focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => new URL(page.url()).searchParams.get("interval"), DEADLINE).toBe("300");

  await focusSales(page);
  await page.keyboard.press("PageDown");
  await expect.poll(() => page.locator("#sales-scroll").evaluate((box) => box.scrollTop), DEADLINE).toBeGreaterThan(0);
  await expect.poll(() => text(page, "#sales-pause-text"), DEADLINE).toMatch(/^\d+ new$/);
  await page.locator("#sales-pause").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#sales-scroll").evaluate((box) => box.scrollTop), DEADLINE).toBe(0);
  await expect.poll(() => text(page, "#sales-pause-text"), DEADLINE).toBe("Pause");

  await page.keyboard.press("t");
  await expect.poll(() => page.locator("#strip").isHidden(), DEADLINE).toBe(true);

  await page.locator("#settings-button").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.locator("html").getAttribute("data-theme"), DEADLINE).toBe("dark");
  await page.keyboard.press("Escape");
  await expect.poll(() => focusedId(page), DEADLINE).toBe("settings-button");
});

test("resuming time and sales during a scroll jumps to the top and stays there", async () => {
  const { page } = await open();
  await focusSales(page);
  const ended = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const box = document.getElementById("sales-scroll") ?? document.body;
        const button = document.getElementById("sales-pause") ?? document.body;
        // In the first of many frames: most of the key's scroll is still to come.
        box.addEventListener(
          "scroll",
          () => {
            button.click();
            button.click();
          },
          { once: true },
        );
        box.addEventListener("scrollend", () => {
          resolve(box.scrollTop);
        });
      }),
  );
  await page.keyboard.press("PageDown");
  expect(await ended).toBe(0);
});

test("three fast arrow keys select the third row without flipping back", async () => {
  const { page } = await open({ query: "?list=AAPL,MSFT,NVDA" });
  await page.locator(".ag-header-cell[col-id=last]").focus();
  await page.evaluate(() => {
    const headline = document.querySelector<HTMLElement>(".headline-symbol") ?? document.body;
    headline.dataset["changes"] = "0";
    new MutationObserver(() => {
      headline.dataset["changes"] = String(Number(headline.dataset["changes"]) + 1);
    }).observe(headline, { childList: true, characterData: true, subtree: true });
    // In one task: the grid reports all three after it.
    for (let row = 0; row < 3; row++) {
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", code: "ArrowDown", bubbles: true }));
    }
  });
  await expect.poll(() => selected(page), DEADLINE).toBe("NVDA");
  await waitForFrames(page, 3);

  expect(await selected(page)).toBe("NVDA");
  await expect.poll(() => page.locator(rowOf("NVDA")).getAttribute("aria-selected"), DEADLINE).toBe("true");
  expect(Number(await page.locator(".headline-symbol").getAttribute("data-changes"))).toBeLessThan(4);
});

test("sorted, moved, resized and hidden columns are restored after a reload", async () => {
  const { page } = await open({ query: "?list=AAPL,MSFT,NVDA" });
  const head = page.locator(".ag-header-cell[col-id=last]");
  const place = async () => Number(await head.getAttribute("aria-colindex"));
  const width = () => head.evaluate((cell) => cell.clientWidth);
  const [before, narrow] = [await place(), await width()];

  await head.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => sortOf(page), DEADLINE).toBe("ascending");
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(place, DEADLINE).toBe(before - 1);
  await page.keyboard.press("Alt+ArrowRight");
  await expect.poll(width, DEADLINE).toBeGreaterThan(narrow);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect.poll(() => page.locator(".ag-row-selected").getAttribute("row-index"), DEADLINE).toBe("1");
  await expect.poll(async () => (await selected(page)) === (await page.locator(".ag-row-selected").getAttribute("row-id")), DEADLINE).toBe(true);

  await page.locator("#columns-button").focus();
  await page.keyboard.press("Enter");
  await page.locator("#columns label", { hasText: "Volume" }).locator("input").focus();
  await page.keyboard.press(" ");
  await page.keyboard.press("Escape");
  await expect.poll(() => page.locator(".ag-header-cell[col-id=volume]").count(), DEADLINE).toBe(0);
  // The grid reports the change asynchronously, after it is visible.
  await expect.poll(() => storedHidden(page), DEADLINE).toContain("volume");

  await page.reload();
  await waitUntilLive(page);
  await expect.poll(() => sortOf(page), DEADLINE).toBe("ascending");
  await expect.poll(() => page.locator(".ag-header-cell[col-id=volume]").count(), DEADLINE).toBe(0);
});
