import { flagOf, isJsonObject, numberOf, readStatus, textOf, timeOf, type JsonObject, type ServerStatus } from "../../source";

/** A number of things and how many there may be; no limit if it is undefined. */
export interface Used {
  readonly open: number | undefined;
  readonly limit: number | undefined;
}

/** The answer of `GET /admin/api/overview` (docs/ADMIN.md). What a server does not tell is undefined. */
export interface Overview extends Pick<ServerStatus, "version" | "feeds" | "cluster"> {
  readonly revision: string | undefined;
  readonly node: string | undefined;
  readonly started: number | undefined;
  readonly uptimeMs: number | undefined;
  readonly isReady: boolean;
  readonly reason: string | undefined;
  readonly isDraining: boolean;
  readonly sessions: Used & { readonly opened: number | undefined; readonly closed: number | undefined };
  readonly descriptors: Used;
  readonly workers: number | undefined;
  readonly outboxBytes: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly logLevel: string | undefined;
  /** The number of keys; undefined if the server has no key file. */
  readonly keys: number | undefined;
}

export function readOverview(body: unknown): Overview | undefined {
  const status = readStatus(body);
  if (status === undefined || !isJsonObject(body) || !isJsonObject(body["sessions"])) return undefined;
  const { sessions, descriptors } = body;
  const uptimeSeconds = numberOf(body["uptime_seconds"]);
  return {
    version: status.version,
    feeds: status.feeds,
    cluster: status.cluster,
    revision: textOf(body["revision"]),
    node: textOf(body["node"]),
    started: timeOf(body["started"]),
    uptimeMs: uptimeSeconds === undefined ? undefined : uptimeSeconds * 1_000,
    isReady: flagOf(body["ready"]) === true,
    reason: textOf(body["reason"]),
    isDraining: flagOf(body["draining"]) === true,
    sessions: { ...readUsed(sessions), opened: numberOf(sessions["opened"]), closed: numberOf(sessions["closed"]) },
    descriptors: readUsed(isJsonObject(descriptors) ? descriptors : {}),
    workers: numberOf(body["workers"]),
    outboxBytes: numberOf(body["outbox_bytes"]),
    memoryBytes: numberOf(body["memory_bytes"]),
    logLevel: textOf(body["log_level"]),
    keys: numberOf(body["keys"]),
  };
}

/** The answer to the order to drain: how many sessions there are. */
export const readDrainedSessions = (body: unknown): number | undefined => (isJsonObject(body) ? (numberOf(body["sessions"]) ?? 0) : undefined);

const readUsed = (used: JsonObject): Used => ({ open: numberOf(used["open"]), limit: numberOf(used["limit"]) });
