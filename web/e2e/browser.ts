import { chromium, type Browser as Chromium, type BrowserContextOptions, type Page } from "playwright-core";

const ARGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Long enough for a machine that has other things to do; a test that passes never waits for it. */
export const PATIENCE_MS = 60_000;

export type ContextOptions = BrowserContextOptions;

/** Debian's own Chromium. Each page has a context of its own: settings, lists and caches of one test are not another's. */
export class Browser {
  private readonly chromium: Chromium;

  private constructor(started: Chromium) {
    this.chromium = started;
  }

  static async start(): Promise<Browser> {
    return new Browser(
      await chromium.launch({
        executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium",
        args: ARGS.split(" "),
      }),
    );
  }

  /** A page as a new visitor has it, of nothing yet. */
  async page(options: ContextOptions = {}): Promise<Page> {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    return await context.newPage();
  }

  async open(url: string, options: ContextOptions = {}): Promise<Page> {
    const page = await this.page(options);
    await page.goto(url);
    return page;
  }

  async stop(): Promise<void> {
    await this.chromium.close();
  }
}

/** What went over a page's edge, for the end of the test. To be called before the page goes anywhere. */
export interface Seen {
  readonly hosts: Set<string>;
  readonly complaints: string[];
  /** What the content policy forbade. */
  readonly violations: string[];
  loads: number;
  /** Sockets that were asked for, whether they opened or not. */
  sockets: number;
}

/** With it the page tells by its console what the policy forbade. */
const VIOLATION = "forbidden: ";

export async function watch(page: Page): Promise<Seen> {
  const seen: Seen = { hosts: new Set(), complaints: [], violations: [], loads: 0, sockets: 0 };
  page.on("request", (request) => seen.hosts.add(new URL(request.url()).host));
  page.on("load", () => (seen.loads += 1));
  page.on("websocket", (socket) => {
    seen.hosts.add(new URL(socket.url()).host);
    seen.sockets += 1;
  });
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    // That the server cannot be reached while it is dead is the browser's to say.
    const isOfNetwork = /^(WebSocket connection to|Failed to load resource: net::)/.test(text);
    if (text.startsWith(VIOLATION)) seen.violations.push(text);
    else if (!isOfNetwork) seen.complaints.push(text);
  });
  await page.addInitScript((prefix) => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }) => {
      // eslint-disable-next-line no-console -- the way out of the page
      console.warn(`${prefix}${effectiveDirective} ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`);
    });
  }, VIOLATION);
  return seen;
}
