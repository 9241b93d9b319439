import { once } from "node:events";
import { createServer, request as forward, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { recordPage } from "./browser";
import { DEADLINE, lastOf, readyState, text } from "./dashboard-page";
import { realForTest } from "./real";

/** A proxy that serves a server below a path, as nginx does with `location /tapecast/ { proxy_pass http://tapecast/; }`. */
async function proxyBelow(path: string, origin: string): Promise<string> {
  const target = new URL(origin);
  const inside = ({ url = "" }: IncomingMessage) => (url.startsWith(path) ? url.slice(path.length - 1) : undefined);
  const proxy = createServer((incoming, outgoing) => {
    const wanted = inside(incoming);
    if (wanted === undefined) {
      outgoing.writeHead(404).end();
      return;
    }
    const options = { host: target.hostname, port: target.port, path: wanted, headers: incoming.headers };
    forward(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  proxy.on("upgrade", (incoming, client) => {
    const wanted = inside(incoming);
    if (wanted === undefined) {
      client.destroy();
      return;
    }
    const server = connect(Number(target.port), target.hostname, () => {
      const fields = incoming.rawHeaders.flatMap((name, place) => (place % 2 === 0 ? [`${name}: ${incoming.rawHeaders[place + 1] ?? ""}`] : []));
      server.write([`GET ${wanted} HTTP/1.1`, ...fields, "", ""].join("\r\n"));
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) {
      socket.on("error", () => {
        client.destroy();
        server.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`;
}

test("the dashboard works below a path of a proxy", async () => {
  const { server, browser } = await realForTest();
  const url = await proxyBelow("/tapecast/", server.origin);
  const page = await browser.page();
  const log = await recordPage(page);

  await page.goto(`${url}?list=AAPL,MSFT`);

  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toMatch(/^[\d,]+\.\d\d$/);
  await expect.poll(() => page.locator(".chart-empty").isHidden(), DEADLINE).toBe(true);
  await expect.poll(() => text(page, ".headline-name"), DEADLINE).not.toBe("");
  expect(log.errors).toEqual([]);
});
