import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

/** Limit of all files together, gzipped. */
const MAX_BYTES = 450 * 1024;

test("the page is smaller than its size limit", () => {
  const entries = readdirSync("dist", { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name));
  const bytes = files.reduce((sum, { parentPath, name }) => sum + gzipSync(readFileSync(join(parentPath, name))).length, 0);

  expect(files.map(({ name }) => name)).toContain("index.html");
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});
