import type { Page } from "playwright-core";
import { formatPercent, formatPrice, formatShort } from "../src/format";
import type { Ohlc } from "@tapecast/client";

/** Less than half the width of a candle, so that none is skipped. */
const STEP_PX = 3;

/** The legend's texts of the newest candles, read with the crosshair, without consecutive duplicates. */
export async function candlesOf(page: Page, pixels: number): Promise<readonly string[]> {
  const box = await page.locator(".chart canvas").first().boundingBox();
  if (box === null) throw new Error("the chart is not there");
  const texts: string[] = [];
  for (let x = box.x + box.width - pixels; x < box.x + box.width; x += STEP_PX) {
    await page.mouse.move(x, box.y + box.height / 2);
    texts.push(await legend(page));
  }
  await page.mouse.move(0, 0);
  return texts.filter((text, at) => text !== texts[at - 1]);
}

/** The legend's text, after the frame that follows the last mouse movement. */
async function legend(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame);
    return document.querySelector(".legend")?.textContent ?? "";
  });
}

/** The texts that the legend has to show for these bars, in the same form. */
export function textsOf(bars: readonly Ohlc[]): readonly string[] {
  const texts = bars.map(({ open, high, low, close, volume }) => {
    const prices = [open, high, low, close].map((price, at) => (["O", "H", "L", "C"][at] ?? "") + formatPrice(price));
    return `${prices.join("")}V${formatShort(volume)}${formatPercent(close / open - 1)}`;
  });
  return texts.filter((text, at) => text !== texts[at - 1]);
}
