import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

/**
 * The admin API with a server behind it that is in any state at will: late nodes, hundreds of sessions, silence. What the page does to a
 * server is tested with the real one (e2e/admin.test.ts).
 */
export interface FakeAdminState {
  sessions: readonly object[];
  /** Members of the overview that differ from `OVERVIEW`. */
  overview: object;
  /** Undefined for a server without a key file. */
  keys: readonly object[] | undefined;
  refusals: readonly object[];
  /** Questions stay without an answer. */
  isSilent: boolean;
}

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

const OVERVIEW = {
  ...{ version: "0.1.0", started: "2026-11-30T10:00:00Z", uptime_seconds: 93_784, ready: true, draining: false, workers: 2, log_level: "info" },
  ...{ outbox_bytes: 4_438_000, memory_bytes: 181_000_000, descriptors: { open: 391, limit: 65_536 } },
  feeds: [{ feed: "iex", source: "simulation", ready: true, epoch: "18f2c1d0a4b3", objects: 128_400_112, newest: "2026-11-30T14:30:00Z", age_ms: 3 }],
};

/** A session that keeps up. */
export const fakeSession = (number: number, other: object = {}): object => ({
  ...{ id: `0-${number}`, feed: "iex", address: `10.0.0.${number % 250}:${40_000 + number}`, key: "desk", opened: "2026-11-30T14:00:00Z", age_seconds: 60 * number },
  ...{ codec: "json", deflate: true, tls: true, user_agent: "python-websockets/13.1", symbols: 30, backlog_bytes: 512, stalled_ms: 0, idle_ms: 900 },
  ...{ bytes: 1_000_000 * number, frames: 5_000, objects: 50_000, conflated: 0, gaps: 0, missed: 0, muted: false, closing: false },
  ...other,
});

export class FakeAdmin {
  readonly state: FakeAdminState = { sessions: [], overview: {}, keys: [], refusals: [], isSilent: false };
  /** The questions that were asked, as paths below the API. */
  readonly asked: string[] = [];
  private readonly policy: string;
  private readonly server = createServer((request, response) => {
    void this.answer(request, response);
  });

  private constructor(policy: string) {
    this.policy = policy;
  }

  /** Serves the built page of `dist`. */
  static async start(): Promise<FakeAdmin> {
    const fake = new FakeAdmin((await readFile("content-security-policy.txt", "utf8")).trim());
    fake.server.listen(0, "127.0.0.1");
    await once(fake.server, "listening");
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/admin/`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer({ url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(url, "http://fake/").pathname.replace(/^\/admin\//, "");
    if (path.startsWith("api/")) {
      this.asked.push(url.slice("/admin/api/".length));
      if (!this.state.isSilent) this.answerQuestion(path.slice("api/".length), response);
      return;
    }
    const name = path === "" ? "admin.html" : path;
    const headers = { "content-type": TYPES[extname(name)] ?? "text/plain", "content-security-policy": this.policy };
    await readFile(join("dist", name)).then(
      (bytes) => response.writeHead(200, headers).end(bytes),
      () => response.writeHead(404).end(),
    );
  }

  private answerQuestion(path: string, response: ServerResponse): void {
    const { sessions, overview, keys, refusals } = this.state;
    const send = (status: number, body: object) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const [, id] = path.split("/");
    if (path === "overview") send(200, { ...OVERVIEW, sessions: { open: sessions.length, limit: 10_000, opened: 512, closed: 8 }, keys: keys?.length, ...overview });
    else if (path === "sessions") send(200, { sessions: sessions.slice(0, 100), matching: sessions.length, open: sessions.length });
    else if (path.startsWith("sessions/")) this.answerDetail(sessions.find((session) => "id" in session && session.id === id), send);
    else if (path === "keys") send(200, { keys });
    else if (path === "refusals") send(200, { refusals });
    else send(404, { message: "no such path" });
  }

  private answerDetail(session: object | undefined, send: (status: number, body: object) => unknown): void {
    const symbols = Array.from({ length: 100 }, (_, at) => `SYM${at}`);
    const detail = { subscriptions: { trades: ["AAPL", "KO"], tickers: symbols }, subscribed: { trades: 2, tickers: 180 }, topics: ["chat:lobby"], alerts: 2, options: { conflate_ms: 250 } };
    send(session === undefined ? 404 : 200, session === undefined ? { message: "no such session" } : { ...session, ...detail });
  }
}
