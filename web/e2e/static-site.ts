import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import type { AddressInfo } from "node:net";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** A web server of the files of a folder: an origin that is not that of the stream. */
export interface StaticSite {
  readonly origin: string;
  stop(): Promise<void>;
}

/** `rewrite` changes the text of each file. */
export async function serveFolder(folder: string, rewrite: (text: string) => string = (text) => text): Promise<StaticSite> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://site/").pathname);
    const name = path === "/" ? "index.html" : path;
    readFile(join(folder, name), "utf8").then(
      (text) => response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "text/plain" }).end(rewrite(text)),
      () => response.writeHead(404).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
