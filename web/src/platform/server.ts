import type { Key } from "../client";

/** The URL of the stream. The random user id distinguishes the sessions in the server's log. */
export function streamUrl(): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const userId = 1 + Math.floor(Math.random() * 9_999);
  return `${scheme}//${location.host}/websocket/connect?userId=${userId}`;
}

/** Sends a GET request, with credentials if there is a key; undefined if it fails. */
export async function getJson(path: string, key: Key | undefined): Promise<unknown> {
  const credentials = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  try {
    const response = await fetch(path, { headers: { Accept: "application/json", ...credentials } });
    return response.ok ? ((await response.json()) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
