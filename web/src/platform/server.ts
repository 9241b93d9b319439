import type { Key } from "@tapecast/client";

/** The URL of the stream for the page at this address. The user id names the session in the server's log and in chat rooms. */
export function streamUrlFrom(page: string, userId: string): string {
  const url = new URL(`websocket/connect?userId=${encodeURIComponent(userId)}`, page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The URL of `/echo` beside the stream of this URL. */
export const echoUrlFrom = (stream: string): string => new URL("../echo", stream).href;

/** The URL of the same stream in MessagePack. */
export function messagePackUrlFrom(stream: string): string {
  const url = new URL(stream);
  url.searchParams.set("codec", "msgpack");
  return url.href;
}

/** The URL of a path of the server, such as `/v2/assets`. Page and server may be below a path of a proxy. */
export function serverUrlFrom(page: string, path: string): string {
  return new URL(path.slice(1), page).href;
}

/** A user id for a user without a name. */
export const randomUserId = (): string => String(1 + Math.floor(Math.random() * 9_999));

/** The URL of the stream with this user id. */
export const streamUrl = (userId: string): string => streamUrlFrom(location.href, userId);

/** Sends a GET request for JSON, with credentials if there is a key; undefined if it fails. */
export const getJson = (path: string, key: Key | undefined): Promise<unknown> => get(path, key, "application/json", async (response) => (await response.json()) as unknown);

/** Sends a GET request for a text in the same way. */
export const getText = (path: string, key: Key | undefined): Promise<string | undefined> => get(path, key, "text/plain", (response) => response.text());

async function get<Body>(path: string, key: Key | undefined, accept: string, read: (response: Response) => Promise<Body>): Promise<Body | undefined> {
  const credentials = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  // To a script the server sends no challenge on which the browser would open a window of its own.
  const headers = { Accept: accept, "X-Requested-With": "fetch", ...credentials };
  try {
    const response = await fetch(serverUrlFrom(location.href, path), { headers });
    return response.ok ? await read(response) : undefined;
  } catch {
    return undefined;
  }
}
