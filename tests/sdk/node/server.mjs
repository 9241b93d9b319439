// The server as a child process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const BINARY = process.env.TAPECAST_BIN ?? fileURLToPath(new URL("../../../target/debug/tapecast", import.meta.url));
/** A debug build is ready in well under a second; a busy machine may need many. */
const READY_MS = 30_000;
const STOP_MS = 10_000;

/** Three times what a user is promised, because the machine may be busy. */
export const PATIENCE_MS = 30_000;

/** Starts a server with 100 symbols and bars of one second; `more` are further options. */
export async function startServer(...more) {
  const address = `127.0.0.1:${await freePort()}`;
  const base = ["--seed", "42", "--symbols", "100", "--rate", "1000", "--bar-seconds", "1", "--log", "warn"];
  const child = spawn(BINARY, ["--listen", address, ...base, ...more], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(insist);
  };
  const died = ended.then(([code]) => Promise.reject(new Error(`${BINARY} ended with ${code} before it was ready`)));
  try {
    await Promise.race([ready(`http://${address}`), died]);
  } catch (error) {
    await stop();
    throw error;
  }
  died.catch(() => undefined);
  return { address, http: `http://${address}`, stream: `ws://${address}/v2/iex`, stop };
}

/** Resolves with the first truthy result of `condition`, or fails and names what it waited for. */
export async function eventually(what, condition, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${patience} ms`);
    await new Promise((again) => setTimeout(again, 20));
  }
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

const ready = (origin) =>
  eventually("readiness", () => fetch(`${origin}/readyz`).then((answer) => answer.ok, () => false), READY_MS);
