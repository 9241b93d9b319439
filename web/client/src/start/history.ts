import { HistoryClient } from "../stream";
import type { Key } from "../wire";
import { globals } from "./globals";
import { serverUrlOf, streamUrlOf } from "./address";

/** A client of the historical data of the server at this address, which may be that of a stream as well. */
export function historyOf(address: string, { key }: { readonly key?: Key | undefined } = {}): HistoryClient {
  const server = serverUrlOf(streamUrlOf(address, globals.location?.href));
  const headers: Record<string, string> = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  return new HistoryClient(async (path) => {
    try {
      const response = await globals.fetch(new globals.URL(path.slice(1), server).href, { headers });
      return response.ok ? await response.json() : undefined;
    } catch {
      return undefined;
    }
  });
}
