import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dashboards, DEADLINE, waitUntilLive, lastOf, rowOf, text } from "./dashboard-page";

/** The whole page under the policy of `content-security-policy.txt`. */

const open = dashboards();

test("the whole page works under the server's content security policy", async () => {
  const { page, server, log } = await open({ query: "?list=AAPL,MSFT,TSLA,KO" });
  const header = (await page.request.get(page.url())).headers()["content-security-policy"];
  expect(header).toBe(readFileSync("content-security-policy.txt", "utf8").trim());

  // The grid: sort, move and resize with the pointer, a tooltip, the menus.
  const head = page.locator(".ag-header-cell[col-id=volume]");
  await head.click();
  await expect.poll(() => head.getAttribute("aria-sort"), DEADLINE).not.toBe("none");
  await head.dragTo(page.locator(".ag-header-cell[col-id=last]"));
  await page.locator(rowOf("TSLA")).hover();
  for (const button of ["#settings-button", "#columns-button", "#list-new"]) {
    await page.click(button);
    await page.keyboard.press("Escape");
  }
  server.setTrading("TSLA", "halted");
  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();

  // The chart: another symbol and interval, the crosshair, scrolling back.
  await page.click(rowOf("KO"));
  await page.keyboard.press("2");
  await expect.poll(() => text(page, ".legend"), DEADLINE).toMatch(/O\d/);
  const chart = await page.locator(".chart").boundingBox();
  await page.mouse.move((chart?.x ?? 0) + 200, (chart?.y ?? 0) + 100);
  await page.mouse.wheel(-2_000, 0);
  await page.locator(".latest").click();

  // Another theme, a search, a lost connection.
  await page.emulateMedia({ colorScheme: "light" });
  await page.locator("#search").fill("xom");
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, lastOf("XOM")), DEADLINE).toMatch(/\d/);
  server.dropAll();
  await expect.poll(() => text(page, "#count-connections"), DEADLINE).toBe("2");
  await waitUntilLive(page);

  expect(log.violations).toEqual([]);
  expect(log.errors).toEqual([]);
  expect([...log.hosts]).toEqual([server.origin]);
});

test("a violation of the content security policy is detected", async () => {
  const { page, log } = await open();
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'from elsewhere'";
    document.body.append(script);
  });

  await expect.poll(() => log.violations.length, DEADLINE).toBe(1);
});
