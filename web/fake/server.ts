import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import { channelOf, FakeMarket, LISTINGS, type WireObject } from "./market";

const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars"] as const;
const NO_SYMBOLS = { statuses: [], lulds: [], cancelErrors: [], corrections: [] };
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** As strict as the page must bear. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

export interface FakeOptions {
  readonly port?: number;
  readonly seed?: number;
  /** A step of the market each so many milliseconds; 0 for a market that moves only when `step` is called. */
  readonly stepMs?: number;
  /** The built dashboard. */
  readonly dist?: string;
  /** Whether `/v2/assets` answers. */
  readonly assets?: "served" | "failing";
}

type Subscribed = Record<(typeof CHANNELS)[number], Set<string>>;

interface Session {
  readonly socket: WebSocket;
  readonly subscribed: Subscribed;
}

/** Speaks sections 1 to 3 of the protocol, as far as the dashboard needs it. */
export class FakeServer {
  /** What clients sent, in order. */
  readonly commands: Record<string, unknown>[] = [];
  private readonly market: FakeMarket;
  private readonly sessions = new Set<Session>();
  private readonly http: Server;
  private readonly options: FakeOptions;
  private timers: NodeJS.Timeout[] = [];

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
        this.step();
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

  step(): void {
    this.send(this.market.step(new Date()));
  }

  /** Ends every session with a close code. */
  closeAll(code: number): void {
    for (const { socket } of this.sessions) socket.close(code);
  }

  /** Stops as a killed process does: no close frame. */
  async kill(): Promise<void> {
    this.timers.forEach(clearInterval);
    for (const { socket } of this.sessions) socket.terminate();
    await new Promise<void>((closed) => {
      this.http.close(() => {
        closed();
      });
      this.http.closeAllConnections();
    });
  }

  private greet(socket: WebSocket): void {
    const subscribed = Object.fromEntries(CHANNELS.map((channel) => [channel, new Set<string>()])) as Subscribed;
    const session = { socket, subscribed };
    this.sessions.add(session);
    socket.on("close", () => this.sessions.delete(session));
    socket.on("message", (data: Buffer) => {
      this.obey(session, JSON.parse(data.toString("utf8")) as Record<string, unknown>);
    });
    write(socket, [{ T: "success", msg: "connected" }]);
  }

  private obey({ socket, subscribed }: Session, command: Record<string, unknown>): void {
    this.commands.push(command);
    for (const channel of CHANNELS) {
      for (const symbol of (command[channel] ?? []) as string[]) {
        if (command["action"] === "subscribe") subscribed[channel].add(symbol);
        else subscribed[channel].delete(symbol);
      }
    }
    const lists = CHANNELS.map((channel) => [channel, [...subscribed[channel]]]);
    write(socket, [{ T: "subscription", ...Object.fromEntries(lists), ...NO_SYMBOLS }]);
  }

  private send(objects: readonly WireObject[]): void {
    for (const { socket, subscribed } of this.sessions) {
      const wanted = objects.filter((object) => subscribed[channelOf(object) as keyof Subscribed].has(object.S));
      if (wanted.length > 0) write(socket, wanted);
    }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? "/", "http://fake").pathname;
    response.setHeader("Content-Security-Policy", POLICY);
    if (path === "/readyz") response.end("ready\n");
    else if (path === "/v2/assets") this.answerAssets(response);
    else this.answerFile(path === "/" ? "/index.html" : path, response);
  }

  private answerAssets(response: ServerResponse): void {
    if (this.options.assets === "failing") {
      response.writeHead(500).end();
      return;
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(LISTINGS.map(({ symbol, name, exchange }) => ({ symbol, name, exchange, status: "active" }))));
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

function write(socket: WebSocket, objects: readonly object[]): void {
  socket.send(JSON.stringify(objects));
}
