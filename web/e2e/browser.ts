import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { chromium, type Browser as Chromium, type BrowserContextOptions, type CDPSession, type Page } from "playwright-core";

const ARGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** The Chromium that `make` provides, else the machine's. */
const CHROMIUM = process.env["CHROMIUM_BIN"] ?? [resolve("../.tools/bin/chromium")].find(existsSync) ?? "/usr/bin/chromium";

/** Generous, for busy machines. A passing test never waits for it. */
export const TIMEOUT_MS = 60_000;

export type ContextOptions = BrowserContextOptions;

/** A headless Chromium. Each page has a context of its own, so that tests do not share settings, lists and caches. */
export class Browser {
  private readonly chromium: Chromium;

  private constructor(started: Chromium) {
    this.chromium = started;
  }

  static async start(): Promise<Browser> {
    return new Browser(
      await chromium.launch({
        executablePath: CHROMIUM,
        args: ARGS.split(" "),
      }),
    );
  }

  /** A blank page in a new context. */
  async page(options: ContextOptions = {}): Promise<Page> {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
    context.setDefaultTimeout(TIMEOUT_MS);
    return await context.newPage();
  }

  async open(url: string, options: ContextOptions = {}): Promise<Page> {
    const page = await this.page(options);
    await page.goto(url);
    return page;
  }

  /** The debugging protocol of the browser itself. */
  async cdp(): Promise<CDPSession> {
    return await this.chromium.newBrowserCDPSession();
  }

  async stop(): Promise<void> {
    await this.chromium.close();
  }
}

/** Requests, errors and policy violations of a page. */
export interface PageLog {
  readonly hosts: Set<string>;
  readonly errors: string[];
  /** Violations of the content security policy. */
  readonly violations: string[];
  loads: number;
  /** Number of WebSockets, including those that did not open. */
  sockets: number;
}

/** Prefix of console messages that report a policy violation. */
const VIOLATION = "forbidden: ";

/** Records what a page does. To be called before its first navigation. */

export async function recordPage(page: Page): Promise<PageLog> {
  const log: PageLog = { hosts: new Set(), errors: [], violations: [], loads: 0, sockets: 0 };
  page.on("request", (request) => log.hosts.add(new URL(request.url()).host));
  page.on("load", () => (log.loads += 1));
  page.on("websocket", (socket) => {
    log.hosts.add(new URL(socket.url()).host);
    log.sockets += 1;
  });
  page.on("pageerror", (error) => log.errors.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    // The browser logs failed connections while the server is down. That is expected.
    const isOfNetwork = /^(WebSocket connection to|Failed to load resource: net::)/.test(text);
    if (text.startsWith(VIOLATION)) log.violations.push(text);
    else if (!isOfNetwork) log.errors.push(text);
  });
  await page.addInitScript((prefix) => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }) => {
      // eslint-disable-next-line no-console -- reports to the test
      console.warn(`${prefix}${effectiveDirective} ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`);
    });
  }, VIOLATION);
  return log;
}
