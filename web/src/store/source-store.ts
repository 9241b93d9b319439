import type { Epoch, Millis, StockSymbol } from "@tapecast/client";
import { ClockOffset, firstTime, NOTHING_TOLD, RANGES, rangePath, readClock, readMetrics, readStatus, type RangeId, type SourceInfo } from "../source";

/** What the store needs of the page. A request that fails has no answer: undefined. */
export interface SourceHost {
  readonly getJson: (path: string) => Promise<unknown>;
  readonly getText: (path: string) => Promise<string | undefined>;
  readonly now: () => Millis;
  readonly changed: () => void;
}

/** What the connection of the page tells. */
export interface SourceConnection {
  /** Without a connection nothing is asked: the last answers stay, as old as they are. */
  readonly isLive: boolean;
  readonly epoch: Epoch | undefined;
  readonly symbol: StockSymbol | undefined;
}

/** How often each answer is asked for. The metrics are long, and history moves slowly. */
const EVERY_MS = { status: 5_000, clock: 15_000, metrics: 30_000, history: 60_000 } as const;

type Question = keyof typeof EVERY_MS;

/** Asks the server what it is, while the source panel is open. */
export class SourceStore {
  info: SourceInfo = NOTHING_TOLD;
  private readonly host: SourceHost;
  private readonly offset = new ClockOffset();
  private readonly askedAt = new Map<Question, Millis>();
  private readonly asking = new Set<Question>();
  private epoch: Epoch | undefined;
  private symbol: StockSymbol | undefined;
  private isOver = false;

  constructor(host: SourceHost) {
    this.host = host;
  }

  /** The panel is closed: an answer under way is dropped. */
  end(): void {
    this.isOver = true;
  }

  /** Asks what is due. To be called a few times per second. */
  tick({ isLive, epoch, symbol }: SourceConnection): void {
    if (!isLive) return;
    // Another life of the server, of which nothing is known.
    if (epoch !== this.epoch) this.askedAt.clear();
    if (symbol !== this.symbol) this.askedAt.delete("history");
    this.epoch = epoch;
    this.symbol = symbol;
    this.ask("status", () => this.askStatus());
    this.ask("clock", () => this.askClock());
    this.ask("metrics", () => this.askMetrics());
    if (symbol !== undefined) this.ask("history", () => this.askHistory(symbol));
  }

  private ask(question: Question, ask: () => Promise<Partial<SourceInfo>>): void {
    const now = this.host.now();
    const last = this.askedAt.get(question);
    // A clock that was set back does not stop the questions.
    if (this.asking.has(question) || (last !== undefined && Math.abs(now - last) < EVERY_MS[question])) return;
    this.askedAt.set(question, now);
    this.asking.add(question);
    void ask().then((told) => {
      this.asking.delete(question);
      if (this.isOver) return;
      this.info = { ...this.info, ...told };
      this.host.changed();
    });
  }

  private async askStatus(): Promise<Partial<SourceInfo>> {
    return { status: readStatus(await this.host.getJson("/status")) ?? "notServed" };
  }

  private async askMetrics(): Promise<Partial<SourceInfo>> {
    const text = await this.host.getText("/metrics");
    return { metrics: text === undefined ? "notServed" : readMetrics(text) };
  }

  private async askClock(): Promise<Partial<SourceInfo>> {
    const sentAt = this.host.now();
    const clock = readClock(await this.host.getJson("/v2/clock"));
    if (clock === undefined) return { clock: "notServed" };
    this.offset.add(clock.serverTime, sentAt, this.host.now());
    return { clock, offset: this.offset.best };
  }

  private async askHistory(symbol: StockSymbol): Promise<Partial<SourceInfo>> {
    const answers = await Promise.all(RANGES.map(async (range) => [range, await this.host.getJson(rangePath(range, symbol))] as const));
    if (answers.every(([, body]) => body === undefined)) return { history: "notServed" };
    const since = Object.fromEntries(answers.map(([range, body]) => [range, firstTime(body, range, symbol)])) as Record<RangeId, Millis | undefined>;
    return { history: { symbol, since } };
  }
}
