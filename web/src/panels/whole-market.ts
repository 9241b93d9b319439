import type { Key, Millis } from "@tapecast/client";
import { formatAge, formatCount, formatCountdown } from "../format";
import type { WholeMarketReport, WholeMarketRequest } from "../store";
import type { Strings } from "../strings";

export interface WholeMarketHost {
  /** The address of the stream. */
  readonly url: () => string;
  readonly key: () => Key | undefined;
  /** The thread could not be started, or failed. */
  readonly failed: () => void;
}

/** A panel that takes the place of another one is opened after that is closed: the connection outlives the moment between. */
const LINGER_MS = 1_000;

/**
 * The whole market for the panels that show it, over a connection of its own in a thread of its own.
 *
 * Both exist only while one of the panels is open. See `WholeMarketFeed` for the reasons.
 */
export class WholeMarketSource {
  private readonly host: WholeMarketHost;
  private readonly listeners: (() => void)[] = [];
  private readonly open = new Set<string>();
  private worker: Worker | undefined;
  private key: Key | undefined;
  private latest: WholeMarketReport | undefined;

  constructor(host: WholeMarketHost) {
    this.host = host;
  }

  /** What is known of the market; undefined before the first report. */
  get report(): WholeMarketReport | undefined {
    return this.latest;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A panel is open and needs the market. */
  follow(panel: string): void {
    this.open.add(panel);
    if (this.worker === undefined) this.start();
  }

  /** A panel is closed. */
  leave(panel: string): void {
    this.open.delete(panel);
    setTimeout(() => {
      if (this.open.size === 0) this.stop();
    }, LINGER_MS);
  }

  /** The page's own connection is accepted, perhaps with another key than before. */
  authenticated(): void {
    const key = this.host.key();
    if (key === undefined || (key.id === this.key?.id && key.secret === this.key.secret)) return;
    this.key = key;
    this.ask({ ask: "authenticate", key });
  }

  private start(): void {
    this.key = this.host.key();
    this.worker = new Worker(new URL("./whole-market-worker.ts", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<WholeMarketReport>) => {
      this.latest = data;
      this.changed();
    });
    this.worker.addEventListener("error", () => {
      this.stop();
      this.host.failed();
    });
    this.ask({ ask: "open", url: this.host.url(), key: this.key });
  }

  /** Ends the thread, which closes its connection. */
  private stop(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.latest = undefined;
    this.changed();
  }

  private ask(request: WholeMarketRequest): void {
    this.worker?.postMessage(request);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The server's error for a key that does not include all symbols (docs/PROTOCOL.md, "Errors"). */
const NOT_INCLUDED = 409;

/** A sentence about the market: why there are no figures, how old they are, or how many symbols rise and fall. */
export function marketStatus(report: WholeMarketReport | undefined, now: Millis, strings: Strings): string {
  if (report === undefined) return strings.market.loading;
  const { summary, freshness, state, error } = report;
  if (error?.code === NOT_INCLUDED) return strings.market.notIncluded;
  if (error !== undefined) return strings.notice.serverError(error.message, error.code, undefined);
  if (freshness.kind === "stale") return strings.freshness.stale(strings.times.moment(freshness.since, now), formatAge(now - freshness.since));
  if (summary !== undefined) return strings.market.counts(formatCount(summary.symbols), formatCount(summary.rising), formatCount(summary.falling));
  const countdown = state.phase === "waiting" ? formatCountdown(state.until - now) : "";
  const reason = strings.connection(state, countdown);
  return reason === "" ? strings.market.loading : reason;
}

/** Whether the figures are no longer those of now. */
export const isStale = (report: WholeMarketReport | undefined): boolean => report?.freshness.kind === "stale";
