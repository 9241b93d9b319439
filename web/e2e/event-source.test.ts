import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DEADLINE } from "./dashboard-page";
import { realForTest } from "./real";
import { freePort } from "./server";

/** A browser's own EventSource, behind nginx. */

const NGINX = [resolve("../.tools/bin/nginx"), "/usr/sbin/nginx"].find(existsSync);

/** nginx with nothing set that streams need: it buffers, and speaks HTTP/1.0 to the server. */
async function startNginx(program: string, origin: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tapecast-nginx-"));
  const port = await freePort();
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  const configuration = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http { access_log off; ${paths.join(" ")} server { listen 127.0.0.1:${port}; location / { proxy_pass ${origin}; } } }`;
  writeFileSync(join(folder, "nginx.conf"), configuration);
  const child = spawn(program, ["-p", folder, "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`], { stdio: "inherit" });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(answers, DEADLINE).toBe(true);
  return url;
}

/** What the page's script counts. */
interface Received {
  objects: number;
  gaps: number;
  opened: number;
  faults: string[];
}

test.skipIf(NGINX === undefined)("an EventSource behind nginx loses nothing untold when connections break and the server restarts", async () => {
  const { server, browser } = await realForTest();
  const url = await startNginx(NGINX ?? "", server.origin);
  const page = await browser.open(`${url}/healthz`);

  await page.evaluate(() => {
    const received: Received = { objects: 0, gaps: 0, opened: 0, faults: [] };
    const last = new Map<string, number>();
    const source = new EventSource("/v2/iex/events?trades=AAPL,NVDA");
    source.addEventListener("open", () => (received.opened += 1));
    source.addEventListener("message", ({ data }) => {
      for (const object of JSON.parse(String(data)) as { T: string; S: string; sq: number; sn?: boolean; ch: string; from: number; to: number }[]) {
        const before = last.get(object.S);
        if (object.T === "gap" && object.ch === "trades") {
          received.gaps += 1;
          last.set(object.S, object.to);
        } else if (object.T === "t") {
          received.objects += 1;
          if (object.sn !== true && before !== undefined && object.sq !== before + 1) received.faults.push(`${object.S}: ${before}, ${object.sq}`);
          last.set(object.S, object.sq);
        }
      }
    });
    Object.assign(window, { received });
  });
  const received = () => page.evaluate(() => (window as unknown as { received: Received }).received);

  await expect.poll(async () => (await received()).objects, DEADLINE).toBeGreaterThan(20);
  await server.kill();
  await server.start();
  await expect.poll(async () => (await received()).opened, DEADLINE).toBeGreaterThan(1);
  await expect.poll(async () => (await received()).gaps, DEADLINE).toBeGreaterThan(0);
  const { objects } = await received();
  await expect.poll(async () => (await received()).objects, DEADLINE).toBeGreaterThan(objects + 20);

  expect((await received()).faults).toEqual([]);
});
