import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { boards, DEADLINE, isLive, lastOf, rowOf, text } from "./board";

/** The whole page under the content policy of `content-security-policy.txt`. */

const open = boards();

test("the whole page works under the server's content security policy", async () => {
  const { page, server, seen } = await open({ query: "?list=AAPL,MSFT,TSLA,KO" });
  const header = (await page.request.get(page.url())).headers()["content-security-policy"];
  expect(header).toBe(readFileSync("content-security-policy.txt", "utf8").trim());

  // The grid: sort, move and size by the pointer, a tooltip, the menus.
  const head = page.locator(".ag-header-cell[col-id=volume]");
  await head.click();
  await expect.poll(() => head.getAttribute("aria-sort"), DEADLINE).not.toBe("none");
  await head.dragTo(page.locator(".ag-header-cell[col-id=last]"));
  await page.locator(rowOf("TSLA")).hover();
  for (const button of ["#settings-button", "#columns-button", "#list-new"]) {
    await page.click(button);
    await page.keyboard.press("Escape");
  }
  server.halt("TSLA", "stop");
  await page.locator(`${rowOf("TSLA")} .badge`).waitFor();

  // The chart: another symbol and interval, the crosshair, scrolling back.
  await page.click(rowOf("KO"));
  await page.keyboard.press("2");
  await expect.poll(() => text(page, "#legend"), DEADLINE).toMatch(/O\d/);
  const chart = await page.locator("#chart").boundingBox();
  await page.mouse.move((chart?.x ?? 0) + 200, (chart?.y ?? 0) + 100);
  await page.mouse.wheel(-2_000, 0);
  await page.locator("#chart-latest").click();

  // Another look, a search, a lost connection.
  await page.emulateMedia({ colorScheme: "light" });
  await page.locator("#search").fill("xom");
  await page.keyboard.press("Enter");
  await expect.poll(() => text(page, lastOf("XOM")), DEADLINE).toMatch(/\d/);
  server.cutAll();
  await expect.poll(() => text(page, "#count-connections"), DEADLINE).toBe("2");
  await isLive(page);

  expect(seen.violations).toEqual([]);
  expect(seen.complaints).toEqual([]);
  expect([...seen.hosts]).toEqual([server.origin]);
});

test("a violation of the content security policy is detected", async () => {
  const { page, seen } = await open();
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'from elsewhere'";
    document.body.append(script);
  });

  await expect.poll(() => seen.violations.length, DEADLINE).toBe(1);
});
