import type { Page } from "playwright-core";
import { TIMEOUT_MS } from "./browser";

/** A panel of the page's list of all panels. */
export interface ListedPanel {
  readonly id: string;
  readonly title: string;
}

/** All panels, as the menu "Panels" lists them: a new one is in every test that asks for them. */
export const listedPanels = (page: Page): Promise<readonly ListedPanel[]> =>
  page.locator("#panel-list").evaluate((menu) => {
    document.getElementById("panels-button")?.click();
    const listed = [...menu.querySelectorAll<HTMLInputElement>("[data-panel]")].map((input) => ({ id: input.dataset["panel"] ?? "", title: input.parentElement?.textContent ?? "" }));
    (menu as HTMLElement).hidePopover();
    return listed;
  });

/** Puts every panel on the board, and waits until all are open with prices. */
export async function openAllPanels(page: Page): Promise<readonly ListedPanel[]> {
  const listed = await listedPanels(page);
  await page.evaluate((open) => {
    localStorage.setItem("tapecast.layout", JSON.stringify({ open, trees: {} }));
  }, listed.map(({ id }) => id));
  await page.reload();
  const areOpen = (count: number) => [...document.querySelectorAll("#board > .panel")].filter((panel) => panel.checkVisibility()).length === count;
  await page.waitForFunction(areOpen, listed.length, { timeout: TIMEOUT_MS });
  await page.waitForFunction(() => /\d/.test(document.querySelector(".ag-row[row-index='0'] .c-last")?.textContent ?? ""), undefined, { timeout: TIMEOUT_MS });
  return listed;
}
