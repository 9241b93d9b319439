import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import { FakeRest } from "./rest";
import { KNOWN_SYMBOLS, LISTINGS } from "./listings";
import { FakeMarket, type WireObject } from "./market";
import { answerAbout, type StatusKind } from "./status";
import { FakeSession, type JsonObject } from "./session";
import { FakeTopics, type WireMessage } from "./topics";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
/** The server's content security policy, sent with every response. */
const POLICY = readFileSync("content-security-policy.txt", "utf8").trim();

/** Number of objects retained for resuming clients. */
const MAX_RETAINED = 20_000;

export interface FakeOptions {
  readonly port?: number;
  readonly seed?: number;
  readonly epoch?: string;
  /** Interval of market steps; 0 for a market that only moves when `step` is called. */
  readonly stepMs?: number;
  /** Number of symbols that move at each step; default 1. */
  readonly perStep?: number;
  /** Folder of the built dashboard. */
  readonly dist?: string;
  /** Whether `/v2/assets` responds or fails. */
  readonly assets?: "served" | "failing";
  /** Whether clients may publish in rooms, or only read, or there are no topics. */
  readonly topics?: FakeTopics["kind"];
  /** What the server tells of itself: everything, only what it must, or what a node of a cluster does; default everything. */
  readonly status?: StatusKind;
  /** Whether the server has price alerts; default served. */
  readonly alerts?: "served" | "none";
  /** Whether the server knows the options `fields` and `delta`; default served. */
  readonly compactTickers?: "served" | "none";
}

const isListed = (symbol: string): boolean => LISTINGS.some((listing) => listing.symbol === symbol);

/** A server with the part of the protocol that the dashboard needs, including extensions and history. */
export class FakeServer {
  /** The commands of all clients, in order. */
  readonly commands: Record<string, unknown>[] = [];
  /** The paths of all requests, in order. */
  readonly requests: string[] = [];
  private readonly market: FakeMarket;
  private readonly topics: FakeTopics;
  private readonly history = new FakeRest();
  private readonly sessions = new Set<FakeSession>();
  private readonly retained: WireObject[] = [];
  private readonly http: Server;
  private readonly options: FakeOptions;
  private timers: NodeJS.Timeout[] = [];
  private readonly startedAt = Date.now();
  private eventAt = Date.now();
  private isFrozen = false;

  constructor(options: FakeOptions = {}) {
    this.options = options;
    this.market = new FakeMarket(options.seed ?? 42);
    this.topics = new FakeTopics(options.topics ?? "served", isListed);
    this.http = createServer((request, response) => {
      this.answer(request, response);
    });
    const upgrades = new WebSocketServer({ server: this.http });
    upgrades.on("connection", (socket, { url }: IncomingMessage) => {
      const { pathname, searchParams } = new URL(url ?? "/", "http://fake");
      if (pathname === "/echo") echo(socket);
      else this.greet(socket, searchParams.get("userId") ?? "");
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((listening, failed) => {
      this.http.once("error", failed);
      this.http.listen(this.options.port ?? 0, "127.0.0.1", listening);
    });
    const stepMs = this.options.stepMs ?? 0;
    if (stepMs === 0) return;
    this.timers = [
      setInterval(() => {
        for (let times = this.options.perStep ?? 1; times > 0; times -= 1) this.step();
      }, stepMs),
      setInterval(() => {
        this.send(this.market.dailyBars(new Date()));
      }, 2_000),
    ];
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get origin(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Moves one symbol: a known one, unless `perStep` is set. */
  step(): void {
    const known = KNOWN_SYMBOLS[Math.floor(Math.random() * KNOWN_SYMBOLS.length)];
    const isKnown = this.options.perStep === undefined && known !== undefined;
    this.send(isKnown ? this.market.stepOf(known, new Date()) : this.market.step(new Date()));
  }

  /** Moves this symbol. */
  stepOf(symbol: string): void {
    this.send(this.market.stepOf(symbol, new Date()));
  }

  /** Trades this symbol at this price. */
  print(symbol: string, price: number, size?: number): void {
    this.send(this.market.printOf(symbol, price, new Date(), size));
  }

  /** Changes the quote of this symbol. */
  quote(symbol: string): void {
    this.send(this.market.quoteOf(symbol, new Date()));
  }

  /** The newest ticker of this symbol, whole. */
  tickerOf(symbol: string): WireObject | undefined {
    return this.market.latestOf("tickers", symbol);
  }

  /** Reports a trade of some seconds ago. */
  printLate(symbol: string, price: number, secondsAgo: number): void {
    this.send(this.market.lateOf(symbol, price, new Date(), secondsAgo));
  }

  /** Cancels the latest trade of this symbol. */
  cancel(symbol: string): void {
    this.send(this.market.cancelOf(symbol, new Date()));
  }

  /** Corrects the price of the latest trade of this symbol. */
  correct(symbol: string, price: number): void {
    this.send(this.market.correctOf(symbol, price, new Date()));
  }

  /** Sends nothing more, not even a greeting, like a stopped process: connections stay open. */
  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
  }

  setTrading(symbol: string, state: "halted" | "open"): void {
    this.send([this.market.setTrading(symbol, new Date(), state)]);
  }

  /** Publishes as a program does, and tells the subscribers. */
  publish(topic: string, data: unknown, by?: string, at = new Date()): void {
    this.broadcast(this.topics.append(topic, { d: data, ...(by === undefined ? {} : { by }) }, at));
  }

  /** Takes a message back. */
  takeBack(topic: string, number: number): void {
    this.broadcast(this.topics.append(topic, { del: number }));
  }

  private broadcast(message: WireMessage): void {
    for (const session of this.sessions) session.deliverMessage(message);
  }

  drain(reconnectMs: number): void {
    for (const session of this.sessions) session.drain(reconnectMs);
  }

  /** The number of open sessions. */
  get sessionCount(): number {
    return this.sessions.size;
  }

  /** Closes every session with a close code and a reason. */
  closeAll(code: number, reason = ""): void {
    for (const { socket } of this.sessions) socket.close(code, reason);
  }

  /** Drops every connection without a Close frame, like a network failure. */
  dropAll(): void {
    for (const { socket } of this.sessions) socket.terminate();
  }

  /** Stops without Close frames, like a killed process. */
  async kill(): Promise<void> {
    this.timers.forEach(clearInterval);
    this.dropAll();
    await new Promise<void>((closed) => {
      this.http.close(() => {
        closed();
      });
      this.http.closeAllConnections();
    });
  }

  private greet(socket: WebSocket, label: string): void {
    const session = new FakeSession(socket, label, {
      epoch: this.options.epoch ?? "fake1",
      market: this.market,
      topics: this.topics,
      hasAlerts: this.options.alerts !== "none",
      hasCompactTickers: this.options.compactTickers !== "none",
      broadcast: (message) => {
        this.broadcast(message);
      },
      present: (topic) => [...this.sessions].filter(({ topics }) => topics.has(topic)).map(({ label }) => label),
      retained: this.retained,
      isListed,
      eventAt: () => this.eventAt,
      isFrozen: () => this.isFrozen,
    });
    this.sessions.add(session);
    socket.on("close", () => {
      session.end();
      this.sessions.delete(session);
    });
    socket.on("message", (data: Buffer) => {
      const command = commandOf(data.toString("utf8"));
      if (command === undefined) session.refuse();
      else {
        this.commands.push(command);
        session.handle(command);
      }
    });
  }

  private send(objects: readonly WireObject[]): void {
    if (objects.length === 0) return;
    this.eventAt = Date.now();
    this.history.record(objects);
    this.retained.push(...objects);
    if (this.retained.length > MAX_RETAINED) this.retained.splice(0, MAX_RETAINED / 4);
    for (const session of this.sessions) session.deliver(objects);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams } = new URL(request.url ?? "/", "http://fake");
    const history = this.history.answer(path, searchParams);
    const about = answerAbout(path, this.options.status ?? "served", { epoch: this.options.epoch ?? "fake1", startedAt: this.startedAt, sessions: this.sessions.size, eventAt: this.eventAt });
    response.setHeader("Content-Security-Policy", POLICY);
    this.requests.push(path);
    if (path === "/readyz") response.end("ready\n");
    else if (about !== undefined) response.end(about);
    else if (path === "/v2/assets") this.answerAssets(response);
    else if (history !== undefined) answerJson(history, response);
    else this.answerFile(path === "/" ? "/index.html" : path, response);
  }

  private answerAssets(response: ServerResponse): void {
    if (this.options.assets === "failing") {
      response.writeHead(500).end();
      return;
    }
    answerJson(LISTINGS.map(({ symbol, name, exchange }) => ({ symbol, name, exchange, status: "active" })), response);
  }

  private answerFile(path: string, response: ServerResponse): void {
    const file = this.options.dist === undefined ? undefined : join(this.options.dist, normalize(path));
    if (file === undefined || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  }
}

/** Returns each message, text as text and binary as binary. */
function echo(socket: WebSocket): void {
  socket.on("message", (data: Buffer, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
}

function commandOf(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

function answerJson(body: unknown, response: ServerResponse): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}
