import type { ConnectError } from "../stream";
import { serverUrlOf } from "./address";

/** The status of a URL's answer to this page: undefined if nothing answers, or the answer is for pages of other origins. */
export type StatusOf = (url: string) => Promise<number | undefined>;

const NOT_FOUND = 404;

/**
 * Finds out why a connection did not open. Browsers tell a page nothing, neither a status nor an error.
 *
 * Pages of all origins may read `/healthz`, but `/v2/clock` only those that may open a stream.
 */
export async function diagnose(stream: string, pageOrigin: string | undefined, statusOf: StatusOf): Promise<ConnectError> {
  const server = serverUrlOf(stream);
  // The origin of a page that was opened as a file is sent as `null` (RFC 6454, section 7.1).
  const origin = pageOrigin?.replace("file://", "null") ?? "";
  const refusal = `does not let in pages of ${origin} (tapecast --allow-origin ${origin})`;
  const hint = pageOrigin === undefined ? "" : `, or ${refusal}`;
  const health = await statusOf(`${server}healthz`);
  if (health === undefined) return { reason: "unreachable", message: `${server} is out of reach${hint}` };
  if (health === NOT_FOUND) return { reason: "refused", message: `${server} is no Tapecast server` };
  if ((await statusOf(`${server}v2/clock`)) === undefined) return { reason: "origin", message: `${server} ${refusal}` };
  return { reason: "refused", message: `${server} opens no stream at ${stream}: it is full, or a proxy does not pass WebSockets${hint}` };
}
