import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { dashboards, DEADLINE } from "./dashboard-page";

/** Limit of what the first view loads, gzipped. What is only for a panel that is closed is loaded when it is opened. */
const MAX_BYTES = 450 * 1024;

const open = dashboards();

test("the first view is smaller than its size limit", async () => {
  const { page } = await open({ query: "?list=AAPL,KO" });
  const loaded = () => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname));
  // The drawing of the chart comes last.
  await expect.poll(loaded, DEADLINE).toContainEqual(expect.stringMatching(/^\/assets\/chart-/));

  const files = ["index.html", ...new Set((await loaded()).filter((path) => path.startsWith("/assets/")).map((path) => path.slice(1)))];
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`)).length, 0);

  expect(files).toContainEqual(expect.stringContaining("grid"));
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});
