import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import ts from "typescript";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { FakeServer } from "../../fake/server";
import * as library from ".";

/** The README's examples as one JavaScript function that returns the client, with imports turned into `require` calls. */
function examplesOf(origin: string): string {
  const readme = readFileSync(`${import.meta.dirname}/../README.md`, "utf8");
  const code = [...readme.matchAll(/```ts\n([^]*?)```/g)].map((block) => block[1]).join("\n");
  const { module, target } = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(code.replaceAll("127.0.0.1:8080", origin), { compilerOptions: { module, target } });
  return `(async () => { ${outputText}; return client; })()`;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the README examples run unchanged", async () => {
  const server = new FakeServer({ stepMs: 5 });
  await server.start();
  // Node before 22 has none.
  vi.stubGlobal("WebSocket", WebSocket);
  const lines: string[] = [];
  const log = (...values: unknown[]) => lines.push(values.join(" "));
  const host = { exports: {}, console: { log, warn: log }, require: (path: string) => ({ "@tapecast/client": library })[path] };

  const client = (await runInContext(examplesOf(server.origin), createContext(host))) as library.Client;
  onTestFinished(async () => {
    client.close();
    await server.kill();
  });

  await vi.waitFor(
    () => {
      expect(lines.some((line) => /^AAPL \d+/.test(line))).toBe(true);
      expect(lines.some((line) => /^MSFT \d+/.test(line))).toBe(true);
      expect(lines.some((line) => /^\d+$/.test(line))).toBe(true);
      expect(lines).toContain('chat:AAPL 1 : {"text":"hi"} (live)');
      expect(lines).toContain("1 here, published as 1");
      expect(lines).toContain("AAPL-1 active ");
    },
    { timeout: 20_000, interval: 10 },
  );
});
