import type { Page } from "playwright-core";
import { expect } from "vitest";
import { DEADLINE, waitUntilLive } from "./dashboard-page";

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
  await waitUntilLive(page);
  await expect.poll(() => page.locator("#board > .panel:visible").count(), DEADLINE).toBe(listed.length);
  return listed;
}
