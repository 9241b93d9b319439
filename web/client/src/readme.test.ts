import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import ts from "typescript";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { FakeServer } from "../../fake/server";
import * as client from ".";

/** The README's examples as one JavaScript program, with imports turned into `require` calls. */
function examplesOf(origin: string): string {
  const readme = readFileSync(`${import.meta.dirname}/../README.md`, "utf8");
  const code = [...readme.matchAll(/```ts\n([^]*?)```/g)].map((block) => block[1]).join("\n");
  const { module, target } = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code.replace("127.0.0.1:8080", origin), { compilerOptions: { module, target } }).outputText;
}

test("the README examples run unchanged", async () => {
  const server = new FakeServer({ stepMs: 5 });
  await server.start();
  const timers = new Set<NodeJS.Timeout>();
  onTestFinished(async () => {
    timers.forEach(clearTimeout);
    await server.kill();
    timers.forEach(clearTimeout);
  });
  const lines: string[] = [];
  const log = (...values: unknown[]) => lines.push(values.join(" "));
  const host = {
    ...{ exports: {}, console: { log, warn: log }, WebSocket, Date, Math },
    require: (path: string) => ({ "@tapecast/client": client })[path],
    setTimeout: (run: () => void, ms: number) => {
      const timer = setTimeout(run, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout,
  };

  runInContext(examplesOf(server.origin), createContext(host));

  await vi.waitFor(
    () => {
      expect(lines.filter((line) => /^[a-z]+$/.test(line)).slice(0, 3)).toEqual(["connecting", "greeting", "live"]);
      expect(lines.some((line) => /^AAPL \d+/.test(line))).toBe(true);
      expect(lines.some((line) => /^MSFT \d+/.test(line))).toBe(true);
      expect(lines).toContain('chat:AAPL 1 : {"text":"hi"} (live)');
      expect(lines).toContain("1 here, published as 1");
      expect(lines).toContain("AAPL-1 active ");
    },
    { timeout: 20_000, interval: 10 },
  );
});
