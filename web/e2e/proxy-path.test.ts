import { expect, test } from "vitest";
import { recordPage } from "./browser";
import { DEADLINE, lastOf, readyState, text } from "./dashboard-page";
import { proxyBelow } from "./proxy";
import { realForTest } from "./real";

test("the dashboard works below a path of a proxy", async () => {
  const { server, browser } = await realForTest();
  const url = await proxyBelow("/tapecast/", server.origin);
  const page = await browser.page();
  const log = await recordPage(page);

  await page.goto(`${url}?list=AAPL,MSFT`);

  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toMatch(/^[\d,]+\.\d\d$/);
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => text(page, ".headline-name"), DEADLINE).not.toBe("");
  expect(log.errors).toEqual([]);
});
