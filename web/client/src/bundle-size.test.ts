import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

/** Limit of a page's share, minified and gzipped, if it uses the market's streams only. */
const MAX_BYTES = 7 * 1024;

/** The size of a bundle that imports these names, minified and gzipped. */
async function sizeOf(names: string): Promise<number> {
  const entry = join(import.meta.dirname, "index.ts");
  const bundled = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? "\0entry" : undefined),
        load: (id) => (id === "\0entry" ? `export { ${names} } from ${JSON.stringify(entry)};` : undefined),
      },
    ],
    build: {
      ...{ write: false, target: "es2022", modulePreload: { polyfill: false } },
      rolldownOptions: { input: "entry", preserveEntrySignatures: "strict" },
    },
  });
  const chunks = [bundled].flat().flatMap((result) => ("output" in result ? result.output : []));
  expect(chunks).toHaveLength(1);
  const [chunk] = chunks;
  return chunk?.type === "chunk" ? gzipSync(chunk.code, { level: 9 }).length : Number.NaN;
}

test("a client of the market is smaller than its size limit, and what a page does not use is not in it", async () => {
  const [market, withTopics, all] = [await sizeOf("connect"), await sizeOf("connect, Topics"), await sizeOf("connect, historyOf, Topics, Alerts")];

  expect(market).toBeLessThanOrEqual(MAX_BYTES);
  expect(withTopics).toBeGreaterThan(market + 500);
  expect(all).toBeGreaterThan(withTopics + 500);
});
