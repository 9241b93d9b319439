import type { Page } from "playwright-core";

/** A text on a canvas of a chart. */
export interface DrawnText {
  readonly text: string;
  /** The middle of a text of the time axis. */
  readonly x: number;
}

/** What the charts wrote on their axes in the last frame in which they were drawn. */
interface Drawn {
  time: DrawnText[];
  price: DrawnText[];
}

/** Records what the charts of a page write on their canvases. To be called before its navigation. */
export async function recordTexts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const last: Drawn = { time: [], price: [] };
    Object.assign(globalThis, { drawnTexts: last });
    let frame = 0;
    const frameOf = { time: -1, price: -1 };
    const next = () => {
      frame += 1;
      requestAnimationFrame(next);
    };
    next();
    const { prototype } = CanvasRenderingContext2D;
    const fillText = Object.getOwnPropertyDescriptor(prototype, "fillText")?.value as (this: CanvasRenderingContext2D, ...text: readonly unknown[]) => void;
    prototype.fillText = function record(this: CanvasRenderingContext2D, text: string, x: number, ...rest: readonly unknown[]) {
      const { clientWidth, clientHeight } = this.canvas;
      const axis = clientHeight < 40 ? "time" : clientWidth < 160 ? "price" : undefined;
      if (axis !== undefined) {
        if (frameOf[axis] !== frame) last[axis] = [];
        frameOf[axis] = frame;
        last[axis].push({ text, x });
      }
      fillText.call(this, text, x, ...rest);
    };
  });
}

/** The texts of an axis, from left to right, without empty ones. */
export async function textsOn(page: Page, axis: keyof Drawn): Promise<readonly DrawnText[]> {
  const texts = await page.evaluate((axis) => (globalThis as unknown as { readonly drawnTexts: Drawn }).drawnTexts[axis], axis);
  return texts.filter(({ text }) => text !== "").sort((a, b) => a.x - b.x);
}
