import type { Counters, Epoch, Millis } from "@tapecast/client";
import { formatAge, formatCount, formatSpan, MINUS, NONE } from "../format";
import type { Reading } from "../market";
import { feedOf, type ClusterStatus, type FeedStatus, type MarketTimes, type RangeId, type ServerMetrics, type ServerStatus, type SourceInfo, type Told, type UpstreamStatus } from "../source";
import type { SOURCE_ROWS, SourceGroup, SourceRow, Strings } from "../strings";
import type { SourceFigures } from "../view";

/** What the page itself knows of its connection. */
export interface PageFigures {
  readonly epoch: Epoch | undefined;
  readonly counters: Readonly<Counters>;
  /** Missed objects that were recovered by REST. */
  readonly healed: number;
  readonly reading: Pick<Reading, "p50" | "p99">;
  readonly roundTrip: number | undefined;
}

/** The figure of each row of a group; undefined for one that does not apply. */
type Values<Group extends SourceGroup> = Readonly<Record<(typeof SOURCE_ROWS)[Group][number], string | undefined>>;

/** What feeds the page, in words. Groups of what the server has no part in are left out. */
export function sourceFigures(info: SourceInfo, page: PageFigures, now: Millis, strings: Strings): readonly SourceFigures[] {
  const { status } = info;
  const feed = isTold(status) ? feedOf(status, page.epoch) : undefined;
  const cluster = isTold(status) ? status.cluster : undefined;
  const group = <Group extends SourceGroup>(id: Group, values: Values<Group>, title = strings.source.groups[id]): SourceFigures => ({
    id,
    title,
    figures: (Object.entries(values) as [SourceRow, string | undefined][]).flatMap(([row, value]) => (value === undefined ? [] : [{ id: row, name: strings.source.rows[row], value }])),
  });
  const historyTitle = isTold(info.history) ? strings.source.historyOf(info.history.symbol) : undefined;
  return [
    group("feed", feedValues(status, feed, page, strings)),
    group("server", serverValues(status, info.metrics, now, strings)),
    ...(feed?.upstream === undefined ? [] : [group("upstream", upstreamValues(feed.upstream, strings))]),
    ...(cluster === undefined ? [] : [withNodes(group("cluster", clusterValues(cluster, strings)), cluster, strings)]),
    group("market", marketValues(info, now, strings)),
    group("history", historyValues(info, now, strings), historyTitle),
    group("connection", connectionValues(info, page, strings)),
  ];
}

const isTold = <Answer extends object>(told: Told<Answer>): told is Answer => typeof told === "object";

/** A value of an answer, or why there is none. */
function told<Answer extends object>(answer: Told<Answer>, read: (answer: Answer) => string | undefined, { source }: Strings): string {
  return isTold(answer) ? (read(answer) ?? NONE) : source[answer];
}

function feedValues(status: Told<ServerStatus>, feed: FeedStatus | undefined, { epoch }: PageFigures, strings: Strings): Values<"feed"> {
  const { source } = strings;
  const of = (read: (feed: FeedStatus) => string | undefined) => told(status, () => feed && read(feed), strings);
  return {
    source: of(({ source: kind }) => kind && (source.kinds[kind] ?? kind)),
    // Only one of several has a name.
    feedName: feed?.name,
    // The epoch of the page's own connection: it is known without the status.
    epoch: epoch ?? of(({ epoch: told }) => told),
    state: of(({ isReady, reason }) => (isReady === undefined ? undefined : isReady ? source.ready : source.notReady(reason ?? ""))),
    objects: of(({ objects }) => objects === undefined ? undefined : strings.short(objects)),
    newest: of(({ ageMs }) => (ageMs === undefined ? undefined : source.ago(lasting(ageMs)))),
  };
}

function serverValues(status: Told<ServerStatus>, metrics: Told<ServerMetrics>, now: Millis, strings: Strings): Values<"server"> {
  return {
    version: told(status, ({ version }) => version, strings),
    uptime: told(metrics, ({ startedAt }) => startedAt && formatAge(now - startedAt), strings),
    sessions: told(status, ({ sessions }) => (sessions === undefined ? undefined : formatCount(sessions)), strings),
    workers: told(metrics, ({ sessions }) => (sessions.length === 0 ? undefined : sessions.map(formatCount).join(" · ")), strings),
  };
}

const upstreamValues = ({ isUp, losses, missed, gapSeconds }: UpstreamStatus, { source }: Strings): Values<"upstream"> => ({
  link: isUp ? source.link.up : source.link.down,
  losses: formatCount(losses),
  upstreamMissed: formatCount(missed),
  gapTime: lasting(gapSeconds * 1_000),
});

function clusterValues(cluster: ClusterStatus, { source }: Strings): Values<"cluster"> {
  const { node, role, isConnected, leads, fence, gateways, hopsMs, repaired } = cluster;
  return {
    node,
    role: source.roles[role] ?? role,
    nats: isConnected ? source.link.up : source.link.down,
    lease: fence === undefined ? NONE : source.lease(leads, String(fence)),
    gateways: gateways === undefined ? NONE : formatCount(gateways),
    hops: hopsMs.length === 0 ? NONE : hopsMs.map(([hop, ms]) => `${source.hops[hop] ?? hop} ${formatSpan(ms)}`).join(" → "),
    repaired: formatCount(repaired),
  };
}

/** The group of the cluster with the other nodes below. */
function withNodes(group: SourceFigures, { nodes }: ClusterStatus, { source }: Strings): SourceFigures {
  const figures = nodes.map(({ node, role, leads, sessions, heardMs }) => ({
    id: `node-${node}`,
    name: node,
    value: source.node({ role: source.roles[role] ?? role, leads, sessions: formatCount(sessions), heard: lasting(heardMs) }),
  }));
  return { ...group, figures: [...group.figures, ...figures] };
}

const MINUTE_MS = 60_000;

function marketValues({ clock, offset }: SourceInfo, now: Millis, strings: Strings): Values<"market"> {
  const { source } = strings;
  const serverNow = now + (offset?.offsetMs ?? 0);
  const at = (time: number) => source.ahead(strings.times.dayMinute(time, serverNow), formatAge(time - serverNow));
  const of = (read: (times: MarketTimes) => string | undefined) => told(clock, read, strings);
  const hasHours = !isTold(clock) || clock.phase !== "continuous";
  return {
    phase: of(({ phase }) => source.phases[phase]),
    nextOpen: hasHours ? of(({ nextOpen }) => at(nextOpen)) : undefined,
    nextClose: hasHours ? of(({ nextClose }) => at(nextClose)) : undefined,
    // A bar is published when its minute is over.
    minuteBar: of(({ phase }) => (phase === "closed" ? undefined : at(Math.floor(serverNow / MINUTE_MS + 1) * MINUTE_MS))),
  };
}

function historyValues({ history }: SourceInfo, now: Millis, strings: Strings): Values<"history"> {
  const { source } = strings;
  const of = (range: RangeId) =>
    told(history, ({ since }) => {
      const time = since[range];
      return time === undefined ? source.nothing : source.since(range === "days" ? strings.times.fullDay(time) : strings.times.dayMinute(time, now));
    }, strings);
  return { trades: of("trades"), seconds: of("seconds"), minutes: of("minutes"), days: of("days") };
}

function connectionValues({ offset }: SourceInfo, { counters, healed, reading: { p50, p99 }, roundTrip }: PageFigures, { short }: Strings): Values<"connection"> {
  const span = (ms: number | undefined) => (ms === undefined ? NONE : formatSpan(ms));
  return {
    latency: `${span(p50)} · ${span(p99)}`,
    roundTrip: span(roundTrip),
    offset: offset === undefined ? NONE : `${signed(offset.offsetMs)} ± ${formatSpan(offset.errorMs)}`,
    gaps: formatCount(counters.gaps),
    missing: short(counters.missed - healed),
    healed: short(counters.recovered + healed),
  };
}

/** A duration with its sign. */
const signed = (ms: number): string => `${ms < 0 ? MINUS : "+"}${lasting(Math.abs(ms))}`;

const lasting = (ms: number): string => (ms < MINUTE_MS ? formatSpan(ms) : formatAge(ms));
