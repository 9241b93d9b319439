import type { Page } from "playwright-core";

/** Starts recording layout shifts; returns a function that reads the elements that moved. */
export async function watchShifts(page: Page): Promise<() => Promise<readonly string[]>> {
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

/** The width of the document and the elements that stick out of the viewport. */
export async function overflowOf(page: Page): Promise<{ readonly scrollWidth: number; readonly sticking: readonly string[] }> {
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
