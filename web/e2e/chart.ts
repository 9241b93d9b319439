import type { Page } from "playwright-core";
import { formatPercent, formatPrice, formatShort } from "../src/format";
import type { Ohlc } from "../src/model";

/** Less than half of a candle's place: no candle is stepped over. */
const STEP_PX = 3;

/** What the legend says of the newest candles, pointed at one after the other. What is said twice in a row is told once. */
export async function candlesOf(page: Page, pixels: number): Promise<readonly string[]> {
  const box = await page.locator("#chart canvas").first().boundingBox();
  if (box === null) throw new Error("the chart is not there");
  const said: string[] = [];
  for (let x = box.x + box.width - pixels; x < box.x + box.width; x += STEP_PX) {
    await page.mouse.move(x, box.y + box.height / 2);
    said.push(await legend(page));
  }
  await page.mouse.move(0, 0);
  return said.filter((one, at) => one !== said[at - 1]);
}

/** The legend, when the frame after the last movement has been drawn. */
async function legend(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame);
    return document.querySelector("#legend")?.textContent ?? "";
  });
}

/** What the legend has to say of these bars, told in the same way. */
export function textsOf(bars: readonly Ohlc[]): readonly string[] {
  const texts = bars.map(({ open, high, low, close, volume }) => {
    const prices = [open, high, low, close].map((price, at) => (["O", "H", "L", "C"][at] ?? "") + formatPrice(price));
    return `${prices.join("")}V${formatShort(volume)}${formatPercent(close / open - 1)}`;
  });
  return texts.filter((one, at) => one !== texts[at - 1]);
}
