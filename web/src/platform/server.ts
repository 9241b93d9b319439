import type { Key } from "../client";

/** The URL of the stream for the page at this address. The user id distinguishes the sessions in the server's log. */
export function streamUrlFrom(page: string, userId: number): string {
  const url = new URL(`websocket/connect?userId=${userId}`, page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The URL of a path of the server, such as `/v2/assets`. Page and server may be below a path of a proxy. */
export function serverUrlFrom(page: string, path: string): string {
  return new URL(path.slice(1), page).href;
}

/** The URL of the stream, with a random user id. */
export function streamUrl(): string {
  return streamUrlFrom(location.href, 1 + Math.floor(Math.random() * 9_999));
}

/** Sends a GET request, with credentials if there is a key; undefined if it fails. */
export async function getJson(path: string, key: Key | undefined): Promise<unknown> {
  const credentials = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  // To a script the server sends no challenge on which the browser would open a window of its own.
  const headers = { Accept: "application/json", "X-Requested-With": "fetch", ...credentials };
  try {
    const response = await fetch(serverUrlFrom(location.href, path), { headers });
    return response.ok ? ((await response.json()) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
