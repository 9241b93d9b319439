import type { Page } from "playwright-core";

/** A text whose contrast to its ground is too low. */
export interface LowContrast {
  readonly text: string;
  readonly path: string;
  readonly ratio: number;
}

/**
 * The visible texts below a selector whose contrast, by their computed styles, is less than `least` (WCAG 2.2, 1.4.3).
 * The ground is all the backgrounds below a text, drawn over each other on a canvas. Disabled controls are exempt.
 */
export async function lowContrasts(page: Page, selector: string, least = 4.5): Promise<readonly LowContrast[]> {
  return await page.evaluate(
    ({ selector, least }) => {
      const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
      if (context === null) throw new Error("the browser has no canvas");
      /** The luminance of colours drawn over each other, the first one at the bottom. */
      const luminance = (colours: readonly string[]) => {
        for (const colour of ["#ffffff", ...colours]) {
          context.fillStyle = colour;
          context.fillRect(0, 0, 1, 1);
        }
        const [red = 0, green = 0, blue = 0] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => {
          const share = byte / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const isHidden = (element: Element) =>
        !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) || element.closest(".visually-hidden, :disabled, canvas") !== null;
      const known = new Map<string, number>();
      return [...document.querySelectorAll(`${selector}, ${selector} *`)].flatMap((element) => {
        const text = [...element.childNodes].flatMap((node) => (node.nodeType === Node.TEXT_NODE ? [node.textContent ?? ""] : [])).join("").trim();
        if (text === "" || isHidden(element)) return [];
        const grounds: string[] = [];
        for (let at: Element | null = element; at !== null; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
        const { color } = getComputedStyle(element);
        const key = [...grounds, color].join();
        const [one, other] = [luminance(grounds), luminance([...grounds, color])];
        const ratio = known.get(key) ?? (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        known.set(key, ratio);
        const path = `${element.parentElement?.className ?? ""} > ${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} ${color} on ${grounds.at(-1) ?? ""}`;
        return ratio < least ? [{ text, path, ratio: Math.round(ratio * 100) / 100 }] : [];
      });
    },
    { selector, least },
  );
}
