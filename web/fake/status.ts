/** What the server tells of itself: `served` by a single server, of a `node` of a cluster, or `hidden`, as by a proxy that publishes neither. */
export type StatusKind = "served" | "node" | "hidden";

export interface ServerFacts {
  readonly epoch: string;
  readonly startedAt: number;
  readonly sessions: number;
  readonly eventAt: number;
}

/** The body of an answer about the server itself; undefined for other paths, and for what is not served. */
export function answerAbout(path: string, kind: StatusKind, facts: ServerFacts): string | undefined {
  if (kind === "hidden") return undefined;
  if (path === "/status") return JSON.stringify(statusOf(kind, facts));
  if (path === "/v2/clock") return JSON.stringify(clockAt(kind, new Date()));
  if (path === "/metrics") return metricsOf(facts);
  return undefined;
}

function statusOf(kind: StatusKind, { epoch, sessions, eventAt }: ServerFacts): object {
  const feed = { source: kind === "node" ? "cluster" : "simulation", epoch, objects: 12_345, age_ms: Date.now() - eventAt };
  return { version: "0.1.0", ready: true, ...feed, sessions, ...(kind === "node" ? { cluster: CLUSTER } : {}) };
}

const CLUSTER = {
  node: "00000000000000a1",
  role: "gateway",
  nats: "nats://127.0.0.1:4222",
  connected: true,
  joined: true,
  leads: false,
  lease: { held: false, fence: 7 },
  batch: 4_321,
  hops_ms: { nats: 0.12, source: 0.2, leader: 0.04, feed: 0.04 },
  batches_repaired: 2,
  gateways: 2,
  nodes: [{ node: "00000000000000b2", role: "feed", leads: true, sessions: 0, batch: 4_321, symbols: 3, heard_ms: 120 }],
};

/** A node follows the exchange's hours, and its market is closed; the simulated one never closes. */
function clockAt(kind: StatusKind, now: Date): object {
  const hours = (count: number) => new Date(now.getTime() + count * 3_600_000).toISOString();
  if (kind === "node") return { timestamp: now.toISOString(), is_open: false, next_open: hours(3), next_close: hours(9.5) };
  return { timestamp: now.toISOString(), is_open: true, next_open: hours(5), next_close: hours(5) };
}

function metricsOf({ startedAt, sessions }: ServerFacts): string {
  return [
    "# TYPE process_start_time_seconds gauge",
    `process_start_time_seconds ${startedAt / 1_000}`,
    'tapecast_build_info{version="0.1.0"} 1',
    'tapecast_sessions{worker="1"} 0',
    `tapecast_sessions{worker="0"} ${sessions}`,
    "",
  ].join("\n");
}
