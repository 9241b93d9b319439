import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

const ARGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

export type BrowserOptions = Parameters<typeof chromium.launchPersistentContext>[1];

/** Debian's own Chromium with a profile of its own, which is gone afterwards. */
export class Browser {
  readonly context: BrowserContext;
  private readonly profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.context = context;
    this.profile = profile;
  }

  static async start(options: BrowserOptions = {}): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), "tapecast-browser-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium",
      args: ARGS.split(" "),
      viewport: { width: 1280, height: 800 },
      locale: "en-US",
      ...options,
    });
    return new Browser(context, profile);
  }

  async open(url: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  async stop(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** What went over a page's edge, for the end of the test. */
export function watch(page: Page) {
  const seen = { hosts: new Set<string>(), loads: 0, complaints: [] as string[] };
  page.on("request", (request) => seen.hosts.add(new URL(request.url()).host));
  page.on("load", () => (seen.loads += 1));
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("console", (message) => {
    // That the server cannot be reached while it is dead is the browser's to say.
    const isOfNetwork = /^(WebSocket connection to|Failed to load resource: net::)/.test(message.text());
    if (!isOfNetwork) seen.complaints.push(message.text());
  });
  return seen;
}
