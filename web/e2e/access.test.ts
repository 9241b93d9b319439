import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { boards, DEADLINE, isLive, rowOf, text } from "./board";

/** What axe-core finds on the board in all its states. */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const open = boards();

/** What axe says is wrong, in one line each. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  // By the debugger's door: the page's own content policy would rightly refuse a script from elsewhere.
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.target.join(" ") + " " + node.html.slice(0, 120) + " " + node.any.map((one) => one.message).join("; "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return result.value as readonly string[];
}

test.each([
  ["dark", "en-US", 1280],
  ["light", "en-US", 1280],
  ["dark", "zh-CN", 360],
  ["light", "zh-CN", 360],
] as const)("nobody is shut out of the board when it is %s, in %s, %d pixels wide", async (colorScheme, locale, width) => {
  const context = { colorScheme, locale, reducedMotion: "reduce", viewport: { width, height: 800 } } as const;
  const { page, server } = await open({ query: "?list=AAPL,MSFT,TSLA,KO", context });
  server.halt("TSLA", "stop");
  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();
  // A picture that stands still: what axe finds does not depend on the moment.
  await page.keyboard.press(" ");
  expect(await violationsOf(page)).toEqual([]);

  for (const button of ["#settings-button", "#columns-button", "#list-new"]) {
    await page.click(button);
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press("Escape");
  }
  await page.locator("#search").fill("co");
  await page.locator("#search-hits [role=option]").first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
});

test.each(["dark", "light"] as const)("nor when the server is gone and it is %s", async (colorScheme) => {
  const { page, server } = await open({ query: "?list=AAPL,TSLA", context: { colorScheme, reducedMotion: "reduce" } });
  server.drain(60_000);
  server.closeAll(1012);
  await expect.poll(() => text(page, "#connection-state"), DEADLINE).toBe("CLOSED");

  expect(await violationsOf(page)).toEqual([]);
  await page.click("#connection-again");
  await isLive(page);
});
