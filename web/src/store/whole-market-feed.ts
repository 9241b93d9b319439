import { asSymbol, Client, CompactTickers, type ClientState, type Key, type Runtime } from "@tapecast/client";
import { FreshnessTracker, WholeMarket, type Freshness, type MarketSummary } from "../market";

/** What the page asks of the feed. Plain data: it crosses threads. */
export type WholeMarketRequest =
  | { readonly ask: "open"; readonly url: string; readonly key: Key | undefined }
  | { readonly ask: "authenticate"; readonly key: Key };

/** What the feed tells the page. */
export interface WholeMarketReport {
  /** The market as it is known; undefined until the first figures arrive. */
  readonly summary: MarketSummary | undefined;
  readonly freshness: Freshness;
  readonly state: ClientState;
  /** The server's latest error on this connection, such as that the key does not include all symbols (409). */
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

/**
 * The pace of the whole market. A list or a map of it that changes more often cannot be read.
 *
 * The pace is a property of a session (`conflate_ms`, docs/PROTOCOL.md, "Conflation"), not of a channel, so the whole market
 * has a connection of its own: the watchlist keeps the pace that the user chose, its frames do not wait behind the
 * snapshot of 10,000 tickers (2 MB), and the server's limits on what waits for a client count for each alone.
 */
const CONFLATE_MS = 2_000;

/** The frames of one interval arrive in a burst. They are reported together. */
const BURST_MS = 100;

/** As many movers as one looks through, and as many tiles as a large screen has room for. */
const SIZES = { movers: 50, largest: 300 } as const;

/** How often it is checked whether the feed is lost. */
const CHECK_MS = 500;

/** What a summary needs of a ticker. */
const FIELDS = ["last", "previousClose", "volume", "averagePrice"] as const;

const EVERYTHING = ["*"].flatMap((text) => asSymbol(text) ?? []);

/**
 * Follows every symbol of the market and reports a summary.
 *
 * Made for a thread of its own: reading 10,000 tickers takes some 60 ms, and the page takes over a summary in less than one.
 */
export class WholeMarketFeed {
  private readonly runtime: Runtime;
  private readonly report: (report: WholeMarketReport) => void;
  private readonly market = new WholeMarket();
  private readonly freshness = new FreshnessTracker();
  private client: Client | undefined;
  private hasFigures = false;
  private error: WholeMarketReport["error"];
  private reported: Freshness["kind"] | undefined;
  private isDue = false;

  constructor(runtime: Runtime, report: (report: WholeMarketReport) => void) {
    this.runtime = runtime;
    this.report = report;
  }

  readonly handle = (request: WholeMarketRequest): void => {
    switch (request.ask) {
      case "open":
        this.open(request.url, request.key);
        break;
      case "authenticate":
        this.error = undefined;
        this.client?.authenticate(request.key);
        break;
    }
  };

  /** Closes the connection. */
  close(): void {
    this.client?.close();
    this.client = undefined;
  }

  private open(url: string, key: Key | undefined): void {
    // What was missed of figures that the newest replaces is no loss.
    const client = new Client(this.runtime, { url, key, conflateMs: CONFLATE_MS, resume: [] });
    new CompactTickers(client, { fields: FIELDS });
    this.client = client;
    client.on("state", ({ phase }) => {
      if (phase !== "live") this.freshness.disconnected();
      this.reportSoon();
    });
    client.on("acknowledged", ({ epochIs }) => {
      this.error = undefined;
      // The restarted server sends all that it has, which may be other symbols.
      if (epochIs === "new") this.market.clear();
    });
    client.on("market", ({ events, receivedAt }) => {
      this.freshness.event(receivedAt);
      for (const event of events) this.market.apply(event);
      this.hasFigures = true;
      this.reportSoon();
    });
    client.on("heartbeat", ({ ageMs, receivedAt }) => {
      this.freshness.heartbeat(ageMs, receivedAt);
    });
    client.on("serverError", ({ code, message }) => {
      this.error = { code, message };
      this.reportSoon();
    });
    client.subscribe({ tickers: EVERYTHING, statuses: EVERYTHING });
    client.connect();
    this.check(client);
  }

  /** Looks again and again whether the feed is lost, until the connection is closed. */
  private check(client: Client): void {
    if (client !== this.client) return;
    if (this.readFreshness(client).kind !== this.reported) this.reportSoon();
    this.runtime.after(CHECK_MS, () => {
      this.check(client);
    });
  }

  private reportSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    this.runtime.after(BURST_MS, () => {
      this.isDue = false;
      this.reportNow();
    });
  }

  private reportNow(): void {
    const { client, error, hasFigures } = this;
    if (client === undefined) return;
    const freshness = this.readFreshness(client);
    this.reported = freshness.kind;
    this.report({ summary: hasFigures ? this.market.summary(SIZES) : undefined, freshness, state: client.state, error });
  }

  private readFreshness({ isAcknowledged, lastReceived }: Client): Freshness {
    return this.freshness.read(this.runtime.now(), { isLive: isAcknowledged, lastReceived });
  }
}
