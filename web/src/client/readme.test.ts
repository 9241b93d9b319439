import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import ts from "typescript";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { FakeServer } from "../../fake/server";
import * as model from "../model";
import * as client from ".";

/** What the page's README shows, as JavaScript that finds its rooms by `require`. */
function exampleOf(origin: string): string {
  const readme = readFileSync(`${import.meta.dirname}/README.md`, "utf8");
  const code = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
  const { module, target } = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code.replace("127.0.0.1:8080", origin), { compilerOptions: { module, target } }).outputText;
}

test("the lines in the README run as they stand there", async () => {
  const server = new FakeServer({ stepMs: 5 });
  await server.start();
  const timers = new Set<NodeJS.Timeout>();
  onTestFinished(async () => {
    timers.forEach(clearTimeout);
    await server.kill();
    timers.forEach(clearTimeout);
  });
  const said: string[] = [];
  const say = (...words: unknown[]) => said.push(words.join(" "));
  const host = {
    ...{ exports: {}, console: { log: say, warn: say }, WebSocket, Date, Math },
    require: (path: string) => ({ "./client": client, "./model": model })[path],
    setTimeout: (run: () => void, ms: number) => {
      const timer = setTimeout(run, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout,
  };

  runInContext(exampleOf(server.origin), createContext(host));

  await vi.waitFor(
    () => {
      expect(said.slice(0, 3)).toEqual(["connecting", "greeting", "live"]);
      expect(said.some((line) => /^AAPL \d+/.test(line))).toBe(true);
      expect(said.some((line) => /^MSFT \d+/.test(line))).toBe(true);
    },
    { timeout: 20_000, interval: 10 },
  );
});
