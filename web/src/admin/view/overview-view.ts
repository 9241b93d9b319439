import { formatAge, formatBytes, formatCount, formatSpan, NONE } from "../../format";
import type { FeedStatus } from "../../source";
import { byId, make, setData, setText } from "../../view";
import { nodeLateness, type Overview, type Rates, type Used } from "../model";
import { FEED_ROWS, type AdminTexts, type FeedRow, type ServerState } from "../strings";
import { KeyedRows, type Row } from "./keyed-rows";
import { bodyOf, cell, FigureList, tableRow } from "./parts";

/** Of what the page draws of a server, that which is not in its overview. */
export interface OverviewContext {
  readonly texts: AdminTexts;
  /** Of the objects of feeds, by their names, and of batches, by `BATCHES`. */
  readonly rates: Rates;
}

/** The name of the rate of batches. No feed has it. */
export const BATCHES = " batches";

const TONES: Readonly<Record<ServerState, "good" | "warning" | "bad">> = { ready: "good", waiting: "warning", draining: "warning", locked: "warning", notReady: "bad", stale: "bad" };

/** What the server is: its state and figures at the top, its feeds, and the nodes of its cluster. */
export class OverviewView {
  private readonly box = byId("state-box", HTMLElement);
  private readonly slowBox = byId("meter-slow-box", HTMLElement);
  private readonly feeds: KeyedRows<FeedStatus>;
  private readonly nodes: KeyedRows<Node>;
  private context: OverviewContext;

  constructor(context: OverviewContext) {
    this.context = context;
    this.feeds = new KeyedRows(byId("source-body", HTMLElement), ({ name }) => name ?? "", () => new FeedBox(() => this.context));
    this.nodes = new KeyedRows(bodyOf("nodes-table"), ({ node }) => node, () => new NodeRow(() => this.context));
  }

  drawState(state: ServerState, freshness: string, reason: string): void {
    setData(this.box, "tone", TONES[state]);
    setText(byId("state", HTMLElement), this.context.texts.states[state]);
    const node = byId("freshness", HTMLElement);
    setText(node, freshness);
    setData(node, "kind", state === "stale" ? "stale" : "live");
    setText(byId("server", HTMLElement), reason);
  }

  /** `slow` is the number of slow sessions, as it is written. */
  draw(overview: Overview | undefined, slow: { readonly count: number; readonly text: string } | undefined, context: OverviewContext): void {
    this.context = context;
    const { texts } = context;
    const figure = (id: string, value: string | undefined) => {
      setText(byId(`meter-${id}`, HTMLElement), value ?? NONE);
    };
    figure("sessions", overview && usedText(overview.sessions, texts));
    figure("slow", slow?.text);
    this.slowBox.toggleAttribute("data-bad", (slow?.count ?? 0) > 0);
    figure("outbox", amount(overview?.outboxBytes, formatBytes));
    figure("memory", amount(overview?.memoryBytes, formatBytes));
    figure("descriptors", overview && usedText(overview.descriptors, texts));
    figure("uptime", amount(overview?.uptimeMs, formatAge));
    // What is not ready is seen first.
    this.feeds.draw([...(overview?.feeds ?? [])].sort((one, other) => Number(one.isReady !== false) - Number(other.isReady !== false)));
    this.drawNodes(overview);
  }

  private drawNodes(overview: Overview | undefined): void {
    const { texts } = this.context;
    const cluster = overview?.cluster;
    byId("nodes-table", HTMLTableElement).hidden = cluster === undefined;
    const empty = byId("nodes-empty", HTMLElement);
    empty.hidden = cluster !== undefined;
    setText(empty, overview !== undefined ? texts.alone : texts.loading);
    setText(byId("nodes-note", HTMLElement), cluster === undefined ? "" : texts.nats(cluster.isConnected));
    const hops = cluster?.hopsMs.map(([hop, ms]) => `${texts.hopNames[hop] ?? hop} ${formatSpan(ms)}`) ?? [];
    setText(byId("nodes-hops", HTMLElement), hops.length === 0 ? "" : texts.hops(hops.join(" → ")));
    const batchRate = this.context.rates.of(BATCHES);
    const own = overview && cluster && { node: cluster.node, role: cluster.role, leads: cluster.leads, isSelf: true, sessions: overview.sessions.open, lateMs: 0, heardMs: undefined };
    const others = cluster?.nodes.map((node) => ({ ...node, isSelf: false, lateMs: nodeLateness(node, cluster.batch, batchRate) })) ?? [];
    this.nodes.draw(own === undefined ? [] : [own, ...others]);
  }
}

interface Node {
  readonly node: string;
  readonly role: string;
  readonly leads: boolean;
  readonly isSelf: boolean;
  readonly sessions: number | undefined;
  readonly lateMs: number | undefined;
  readonly heardMs: number | undefined;
}

const amount = (value: number | undefined, format: (value: number) => string): string | undefined => (value === undefined ? undefined : format(value));

const usedText = ({ open, limit }: Used, { outOf }: AdminTexts): string | undefined =>
  open === undefined ? undefined : limit === undefined ? formatCount(open) : outOf(formatCount(open), formatCount(limit));

/** Times of less than this are those of a computer that is busy for a moment. */
const LATE_MS = 250;

class NodeRow implements Row<Node> {
  private readonly name = make("span", "node-name");
  private readonly tag = make("span", "tag");
  private readonly role = cell("c-role");
  private readonly sessions = cell("number figure");
  private readonly late = cell("number figure c-late");
  private readonly heard = cell("number figure");
  private readonly context: () => OverviewContext;
  readonly node = tableRow(cell("c-node", this.name, this.tag), this.role, this.sessions, this.late, this.heard);

  constructor(context: () => OverviewContext) {
    this.context = context;
  }

  draw({ node, role, leads, isSelf, sessions, lateMs, heardMs }: Node): void {
    const { texts } = this.context();
    setText(this.name, node);
    setText(this.tag, [leads && texts.leads, isSelf && texts.self].filter(Boolean).join(" · "));
    setData(this.node, "leads", String(leads));
    setText(this.role, texts.roles[role] ?? role);
    setText(this.sessions, sessions === undefined ? NONE : formatCount(sessions));
    setText(this.late, lateMs === undefined || isSelf ? NONE : lateMs < LATE_MS ? texts.onTime : formatSpan(lateMs));
    setData(this.late, "late", String((lateMs ?? 0) >= LATE_MS));
    setText(this.heard, heardMs === undefined ? NONE : texts.ago(formatSpan(heardMs)));
  }
}

class FeedBox implements Row<FeedStatus> {
  private readonly name = make("span", "feed-name");
  private readonly kind = make("span", "feed-kind");
  private readonly state = make("span", "pace");
  private readonly reason = make("p", "fact");
  private readonly figures = new FigureList<FeedRow>(FEED_ROWS);
  private readonly context: () => OverviewContext;
  readonly node = make("div", "feed", make("h3", "", this.name, this.kind, this.state), this.reason, this.figures.node);

  constructor(context: () => OverviewContext) {
    this.context = context;
  }

  draw(feed: FeedStatus): void {
    const { texts, rates } = this.context();
    const { upstream } = feed;
    const rate = rates.of(feed.name ?? "");
    const kind = feed.source ?? "";
    setText(this.name, feed.name ?? "");
    setText(this.kind, texts.kinds[kind] ?? kind);
    setText(this.state, feed.isReady === false ? texts.notReady : texts.ready);
    setData(this.state, "state", feed.isReady === false ? "bad" : "good");
    setText(this.reason, feed.isReady === false ? (feed.reason ?? "") : "");
    this.figures.draw(texts.feedRows, {
      age: feed.ageMs === undefined ? NONE : texts.ago(feed.ageMs < 60_000 ? formatSpan(feed.ageMs) : formatAge(feed.ageMs)),
      objects: feed.objects === undefined ? NONE : [texts.short(feed.objects), rate !== undefined && texts.perSecond(texts.short(Math.round(rate)))].filter(Boolean).join(" · "),
      epoch: feed.epoch ?? NONE,
      upstream: upstream && texts.link[upstream.isUp ? "up" : "down"],
      losses: upstream && formatCount(upstream.losses),
      missed: upstream && texts.missed(formatCount(upstream.missed), formatSpan(upstream.gapSeconds * 1_000)),
    });
  }
}
