import { expect, test } from "vitest";
import { realForTest } from "./real";
import { dashboards, DEADLINE, STILL, text } from "./dashboard-page";

/** The clock and the weather of the exchange's city. */

const open = dashboards();
const QUERY = "?list=AAPL,KO";

test("the footer has the time at the exchange, and the weather once it is known", async () => {
  const { page, server } = await open({ market: STILL, query: QUERY, context: { timezoneId: "Asia/Tokyo" } });
  const clock = () => text(page, ".market-clock");
  await expect.poll(clock, DEADLINE).toMatch(/^New York \d\d:\d\d:\d\d$/);
  const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone: "America/New_York" });
  const now = [hour.format(Date.now() - 60_000), hour.format(Date.now())];
  expect(now).toContain((await clock())?.slice(9, 11));

  server.publish("weather:new-york", { temp_c: -2.6, wind_ms: 4.1, condition: "snow", humidity: 0.71 });
  await expect.poll(() => text(page, ".weather"), DEADLINE).toBe("−3 °C snow");
  expect(await page.locator(".weather").getAttribute("title")).toMatch(/^Wind 4.1 m\/s · Humidity 71 % · at \d\d:\d\d$/);
  expect(await page.locator(".weather").getAttribute("data-stale")).toBe("false");

  server.publish("weather:new-york", { condition: "fog" });
  await expect.poll(() => text(page, ".weather"), DEADLINE).toBe("fog");
});

test("old weather is marked with its time, and so is that of a lost feed", async () => {
  const { page, server } = await open({ market: STILL, query: QUERY });
  server.publish("weather:new-york", { temp_c: 21 }, "desk", new Date(Date.now() - 3_600_000));
  await expect.poll(() => text(page, ".weather"), DEADLINE).toMatch(/^21 °C at \d\d:\d\d$/);
  expect(await page.locator(".weather").getAttribute("data-stale")).toBe("true");

  server.publish("weather:new-york", { temp_c: 22 });
  await expect.poll(() => text(page, ".weather"), DEADLINE).toBe("22 °C");
  await server.kill();
  await expect.poll(() => page.locator(".weather").getAttribute("data-stale"), DEADLINE).toBe("true");
});

test("the weather that the real server simulates is shown", async () => {
  const { server, browser } = await realForTest();
  const page = await browser.open(`${server.origin}/${QUERY}`);

  await expect.poll(() => text(page, ".weather"), DEADLINE).toMatch(/^−?\d+ °C (clear|clouds|rain|snow|fog)$/);
});
