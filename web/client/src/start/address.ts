import { globals } from "./globals";

/** The paths of streams, at the end of an address. */
const STREAM_PATH = /(v2\/[^/]+|websocket\/connect)$/;

/**
 * The URL of a stream: of this one, or of the stream `v2/iex` of the server at this address.
 *
 * `http:` and `https:` become `ws:` and `wss:`. A relative address is relative to `base`, usually the page.
 */
export function streamUrlOf(address: string, base: string | undefined): string {
  const url = new globals.URL(address, base);
  if (url.protocol === "http:" || url.protocol === "https:") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw new TypeError(`not an address of a server: ${address}`);
  if (url.pathname.endsWith("/")) url.pathname += "v2/iex";
  url.hash = "";
  return url.href;
}

/** The address of the server that this stream is of, ending with `/`: the server may be below a path of a proxy. */
export function serverUrlOf(stream: string): string {
  const url = new globals.URL(stream);
  url.protocol = url.protocol === "wss:" ? "https:" : "http:";
  url.pathname = STREAM_PATH.test(url.pathname) ? url.pathname.replace(STREAM_PATH, "") : "/";
  url.search = "";
  return url.href;
}
