import type { ConnectError } from "../stream";
import { serverUrlOf } from "./address";

/** Whether a URL answers this page: false if nothing answers, or the answer is for pages of other origins. */
export type Answers = (url: string) => Promise<boolean>;

/**
 * Finds out why a connection did not open. Browsers tell a page nothing, neither a status nor an error.
 *
 * Pages of all origins may read `/healthz`, but `/v2/clock` only those that may open a stream.
 */
export async function diagnose(stream: string, pageOrigin: string | undefined, answers: Answers): Promise<ConnectError> {
  const server = serverUrlOf(stream);
  const refusal = `does not let in pages of ${pageOrigin ?? ""} (tapecast --allow-origin ${pageOrigin ?? ""})`;
  const hint = pageOrigin === undefined ? "" : `, or ${refusal}`;
  if (!(await answers(`${server}healthz`))) return { reason: "unreachable", message: `${server} is out of reach${hint}` };
  if (!(await answers(`${server}v2/clock`))) return { reason: "origin", message: `${server} ${refusal}` };
  return { reason: "refused", message: `${server} opens no stream at ${stream}: it is full, or a proxy does not pass WebSockets${hint}` };
}
