import { once } from "node:events";
import { createServer, request as forward, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy that serves a server below a path, as nginx does with `location /tapecast/ { proxy_pass http://tapecast/; }`. */
export async function proxyBelow(path: string, origin: string): Promise<string> {
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
