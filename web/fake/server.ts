import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import { FakeHistory } from "./history";
import { KNOWN_SYMBOLS, LISTINGS } from "./listings";
import { FakeMarket, type WireObject } from "./market";
import { FakeSession, type Typed } from "./session";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** What the server sends with every answer, and the page has to bear. */
const POLICY = readFileSync("content-security-policy.txt", "utf8").trim();

/** What a resuming client may still be given. */
const KEPT = 20_000;

export interface FakeOptions {
  readonly port?: number;
  readonly seed?: number;
  readonly epoch?: string;
  /** A step of the market each so many milliseconds; 0 for a market that moves only when `step` is called. */
  readonly stepMs?: number;
  /** So many symbols move at each step; default 1. */
  readonly perStep?: number;
  /** The built dashboard. */
  readonly dist?: string;
  /** Whether `/v2/assets` answers. */
  readonly assets?: "served" | "failing";
}

/** Speaks the protocol as far as the dashboard needs it, extensions and history included. */
export class FakeServer {
  /** What clients sent, in order. */
  readonly commands: Record<string, unknown>[] = [];
  private readonly market: FakeMarket;
  private readonly history = new FakeHistory();
  private readonly sessions = new Set<FakeSession>();
  private readonly kept: WireObject[] = [];
  private readonly http: Server;
  private readonly options: FakeOptions;
  private timers: NodeJS.Timeout[] = [];
  private eventAt = Date.now();

  constructor(options: FakeOptions = {}) {
    this.options = options;
    this.market = new FakeMarket(options.seed ?? 42);
    this.http = createServer((request, response) => {
      this.answer(request, response);
    });
    const upgrades = new WebSocketServer({ server: this.http });
    upgrades.on("connection", (socket) => {
      this.greet(socket);
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

  /** One symbol moves: mostly one of the known ones. */
  step(): void {
    const known = KNOWN_SYMBOLS[Math.floor(Math.random() * KNOWN_SYMBOLS.length)];
    const isKnown = this.options.perStep === undefined && known !== undefined;
    this.send(isKnown ? this.market.stepOf(known, new Date()) : this.market.step(new Date()));
  }

  /** This symbol moves. */
  stepOf(symbol: string): void {
    this.send(this.market.stepOf(symbol, new Date()));
  }

  /** This symbol is traded at this price. */
  print(symbol: string, price: number): void {
    this.send(this.market.printOf(symbol, price, new Date()));
  }

  halt(symbol: string, does: "stop" | "go on"): void {
    this.send([this.market.halt(symbol, new Date(), does)]);
  }

  drain(reconnectMs: number): void {
    for (const session of this.sessions) session.drain(reconnectMs);
  }

  /** Ends every session with a close code. */
  closeAll(code: number): void {
    for (const { socket } of this.sessions) socket.close(code);
  }

  /** Cuts every session as a lost network does. */
  cutAll(): void {
    for (const { socket } of this.sessions) socket.terminate();
  }

  /** Stops as a killed process does: no close frame. */
  async kill(): Promise<void> {
    this.timers.forEach(clearInterval);
    this.cutAll();
    await new Promise<void>((closed) => {
      this.http.close(() => {
        closed();
      });
      this.http.closeAllConnections();
    });
  }

  private greet(socket: WebSocket): void {
    const session = new FakeSession(socket, {
      epoch: this.options.epoch ?? "fake1",
      market: this.market,
      kept: this.kept,
      knows: (symbol) => LISTINGS.some((listing) => listing.symbol === symbol),
      eventAt: () => this.eventAt,
    });
    this.sessions.add(session);
    socket.on("close", () => {
      session.end();
      this.sessions.delete(session);
    });
    socket.on("message", (data: Buffer) => {
      const command = JSON.parse(data.toString("utf8")) as Typed;
      this.commands.push(command);
      session.obey(command);
    });
  }

  private send(objects: readonly WireObject[]): void {
    if (objects.length === 0) return;
    this.eventAt = Date.now();
    this.history.record(objects);
    this.kept.push(...objects);
    if (this.kept.length > KEPT) this.kept.splice(0, KEPT / 4);
    for (const session of this.sessions) session.deliver(objects);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams } = new URL(request.url ?? "/", "http://fake");
    const history = this.history.answer(path, searchParams);
    response.setHeader("Content-Security-Policy", POLICY);
    if (path === "/readyz") response.end("ready\n");
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

function answerJson(body: unknown, response: ServerResponse): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}
