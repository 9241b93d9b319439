import { Client, runtimeOf, type ClientOptions, type Runtime } from "../stream";
import { streamUrlOf } from "./address";
import { diagnose } from "./diagnosis";
import { globals } from "./globals";

export interface ConnectOptions extends Omit<ClientOptions, "url"> {
  /** Default: that of the runtime. Node.js before 22 has none; that of the package `ws` fits. */
  readonly WebSocket?: Runtime["WebSocket"];
  /** Called when no connection opens and it is not the network's fault, with why; default `console.warn`. */
  readonly warn?: (message: string) => void;
}

const statusOf = (url: string): Promise<number | undefined> =>
  globals.fetch(url).then(
    ({ status }) => status,
    () => undefined,
  );

/**
 * Connects to a server, and stays connected until `close`.
 *
 * `address` is that of the server (`http://127.0.0.1:8080`, then the stream is `/v2/iex`) or of a stream
 * (`wss://example.org/v2/sip`); in a page it may be relative to the page.
 */
export function connect(address: string, { WebSocket = globals.WebSocket, warn, ...options }: ConnectOptions = {}): Client {
  // Without the check the error would be that undefined is not a constructor.
  if ((WebSocket as unknown) === undefined) throw new TypeError("no WebSocket: pass that of ws");
  const runtime = { ...runtimeOf(globals), WebSocket, diagnose: (url: string) => diagnose(url, globals.location?.origin, statusOf) };
  const client = new Client(runtime, { ...options, url: streamUrlOf(address, globals.location?.href) });
  let told: string | undefined;
  client.on("connectError", ({ reason, message }) => {
    if (reason === "unreachable" || message === told) return;
    told = message;
    if (warn === undefined) globals.console.warn(message);
    else warn(message);
  });
  client.connect();
  return client;
}
