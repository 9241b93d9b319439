// Each example program prints trades, quotes and bars.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, startServer } from "./server.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const PYTHON = process.env.ALPACA_PYTHON ?? at("../../../.venv/alpaca/bin/python");
const CHROMIUM =
  process.env.CHROMIUM_BIN ?? [at("../../../.tools/bin/chromium")].find(existsSync) ?? "/usr/bin/chromium";

const TRADE = /(AAPL|NVDA) \d+ at \d+/;
const QUOTE = /MSFT \d+(\.\d+)? \/ \d+/;
const BAR = /[A-Z.]+( \d+(\.\d+)?){4}/;

let market;
// A page opened as a file has the origin `null`.
before(async () => (market = await startServer("--allow-origin", "null")));
after(() => market.stop());

/** Runs a program until it has printed all of `expected`, then ends it. */
async function prints(expected, program, ...args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let printed = "";
  for (const pipe of [child.stdout, child.stderr]) pipe.on("data", (some) => (printed += some));
  let problem;
  child.on("error", (error) => (problem = error));
  try {
    await eventually(`${program} ${args.join(" ")} printing ${expected.join(", ")}`, () => {
      if (problem) throw problem;
      assert.equal(child.exitCode, null, printed);
      return expected.every((line) => line.test(printed));
    }).catch((error) => {
      throw new Error(`${error.message}; it printed:\n${printed.slice(0, 4_000)}`);
    });
  } finally {
    child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), 5_000);
    if (!problem) await ended;
    clearTimeout(insist);
  }
  return printed;
}

test("the Python example prints the market", () =>
  prints([TRADE, QUOTE, BAR], PYTHON, at("../examples/alpaca_stream.py"), market.stream));

test("the JavaScript example prints the market", () =>
  prints([TRADE, QUOTE, BAR], process.execPath, at("../examples/alpaca_stream.mjs"), market.stream));

test("the plain browser example shows the market", async () => {
  const profile = await mkdtemp(join(tmpdir(), "tapecast-example-"));
  const page = new URL("../examples/browser.html", import.meta.url);
  page.hash = `ws://${market.address}/websocket/connect?userId=7`;
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
  try {
    // The browser copies the console of the page to stderr.
    const printed = await prints([/"open"/, /subscription/, TRADE, QUOTE, BAR], CHROMIUM, ...quiet,
      "--enable-logging=stderr", `--user-data-dir=${profile}`, page.href);
    assert.doesNotMatch(printed, /"error"|Uncaught/);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
});
