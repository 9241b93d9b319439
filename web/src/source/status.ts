import { flagOf, isJsonObject, numberOf, textOf, type JsonObject } from "./fields";

/** The answer of `GET /status` (docs/OPERATIONS.md, "Status"). What a server does not tell is undefined. */
export interface ServerStatus {
  readonly version: string | undefined;
  readonly sessions: number | undefined;
  /** At least one. */
  readonly feeds: readonly FeedStatus[];
  readonly cluster: ClusterStatus | undefined;
}

/** A feed of the server, and where its data come from. */
export interface FeedStatus {
  /** Only if there are several. */
  readonly name: string | undefined;
  readonly isReady: boolean | undefined;
  readonly reason: string | undefined;
  readonly source: string | undefined;
  readonly epoch: string | undefined;
  readonly objects: number | undefined;
  readonly ageMs: number | undefined;
  readonly upstream: UpstreamStatus | undefined;
}

/** The connection of a relay to the server that it relays. */
export interface UpstreamStatus {
  readonly isUp: boolean;
  readonly losses: number;
  readonly missed: number;
  readonly gapSeconds: number;
}

/** The place of the server in a cluster. */
export interface ClusterStatus {
  readonly node: string;
  readonly role: string;
  readonly leads: boolean;
  readonly isConnected: boolean;
  /** The number of the last batch that this node has. */
  readonly batch: number | undefined;
  readonly fence: number | undefined;
  readonly gateways: number | undefined;
  /** How long the last batch took for each hop. */
  readonly hopsMs: readonly (readonly [hop: string, ms: number])[];
  readonly repaired: number;
  /** The others. */
  readonly nodes: readonly NodeStatus[];
}

export interface NodeStatus {
  readonly node: string;
  readonly role: string;
  readonly leads: boolean;
  readonly sessions: number;
  /** The number of the last batch that it had when it was heard. */
  readonly batch: number | undefined;
  /** Since it was last heard. */
  readonly heardMs: number;
}

export function readStatus(body: unknown): ServerStatus | undefined {
  if (!isJsonObject(body)) return undefined;
  const several = Array.isArray(body["feeds"]) ? body["feeds"].filter(isJsonObject) : [];
  const feeds = (several.length > 0 ? several : [body]).map(readFeed);
  const cluster = isJsonObject(body["cluster"]) ? readCluster(body["cluster"]) : undefined;
  return { version: textOf(body["version"]), sessions: numberOf(body["sessions"]), feeds, cluster };
}

/** The feed of this epoch: that of the page's connection. Until the epoch is known, the first. */
export const feedOf = ({ feeds }: ServerStatus, epoch: string | undefined): FeedStatus | undefined => feeds.find((feed) => feed.epoch === epoch) ?? feeds[0];

function readFeed(feed: JsonObject): FeedStatus {
  const upstream = feed["upstream"];
  return {
    name: textOf(feed["feed"]),
    isReady: flagOf(feed["ready"]),
    reason: textOf(feed["reason"]),
    source: textOf(feed["source"]),
    epoch: textOf(feed["epoch"]),
    objects: numberOf(feed["objects"]),
    ageMs: numberOf(feed["age_ms"]),
    upstream: isJsonObject(upstream) ? readUpstream(upstream) : undefined,
  };
}

const readUpstream = (upstream: JsonObject): UpstreamStatus => ({
  isUp: upstream["up"] === true,
  losses: numberOf(upstream["losses"]) ?? 0,
  missed: numberOf(upstream["missed"]) ?? 0,
  gapSeconds: numberOf(upstream["gap_seconds"]) ?? 0,
});

function readCluster(cluster: JsonObject): ClusterStatus {
  const { hops_ms: hops, lease, nodes } = cluster;
  return {
    node: textOf(cluster["node"]) ?? "",
    role: textOf(cluster["role"]) ?? "",
    leads: cluster["leads"] === true,
    isConnected: cluster["connected"] === true,
    batch: numberOf(cluster["batch"]),
    fence: isJsonObject(lease) ? numberOf(lease["fence"]) : undefined,
    gateways: numberOf(cluster["gateways"]),
    hopsMs: isJsonObject(hops) ? HOPS.flatMap((hop) => (typeof hops[hop] === "number" ? [[hop, hops[hop]] as const] : [])) : [],
    repaired: numberOf(cluster["batches_repaired"]) ?? 0,
    nodes: Array.isArray(nodes) ? nodes.filter(isJsonObject).map(readNode) : [],
  };
}

/** The hops of a batch in their order. */
const HOPS = ["source", "leader", "nats", "feed"] as const;

const readNode = (node: JsonObject): NodeStatus => ({
  node: textOf(node["node"]) ?? "",
  role: textOf(node["role"]) ?? "",
  leads: node["leads"] === true,
  sessions: numberOf(node["sessions"]) ?? 0,
  batch: numberOf(node["batch"]),
  heardMs: numberOf(node["heard_ms"]) ?? 0,
});
