import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { FakeServer } from "../fake/server";
import { openAllPanels, type ListedPanel } from "./all-panels";
import { dashboards, DEADLINE, lastOf, STILL, text, waitUntilLive } from "./dashboard-page";

/** Every panel follows the rule of staleness: grey from the moment the feed is lost until the first new object. */

const open = dashboards();

/** Panels that show no figure of now: conversations, levels with a price that is grey always, the messages as they came. */
const WITHOUT_FIGURES = ["chat", "alerts", "wire"];

/** Longer than the silence after which a feed is lost. */
const ASLEEP_MS = 5_000;

const VIEW = { viewport: { width: 2400, height: 1800 }, reducedMotion: "reduce" } as const;

/** What of a panel looks live. */
interface Look {
  /** The figures, prices and drawings that the panel marked. */
  readonly marked: number;
  /** Marked nodes that are not grey. */
  readonly live: readonly string[];
  /** Texts in the colours of rising and falling prices. */
  readonly coloured: readonly string[];
}

/** How the panels look, by id. */
const looks = (page: Page, ids: readonly string[]): Promise<Readonly<Record<string, Look>>> =>
  page.evaluate((ids) => {
    /** The colour that a custom property has on the page. */
    const colourOf = (value: string): string => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = value;
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    const muted = colourOf("var(--muted)");
    const signs = [colourOf("var(--up)"), colourOf("var(--down)")];
    const isShown = (node: Element) => node.checkVisibility({ visibilityProperty: true }) && (node.textContent !== "" || node.matches("canvas, svg"));
    const nameOf = (node: Element) => `${node.getAttribute("class") ?? ""} “${node.textContent.slice(0, 20)}”`;
    const isGrey = (node: Element) => {
      for (let at: Element | null = node; at !== null && !at.matches(".panel"); at = at.parentElement) {
        if (getComputedStyle(at).filter.includes("grayscale(1)")) return true;
      }
      return !node.matches("canvas, .price-drawing") && getComputedStyle(node).color === muted && getComputedStyle(node).backgroundColor === "rgba(0, 0, 0, 0)";
    };
    return Object.fromEntries(ids.map((id) => {
      const panel = document.getElementById(`panel-${id}`);
      const marked = [...(panel?.querySelectorAll(".figure, [data-price], .price-drawing, canvas") ?? [])].filter(isShown);
      const texts = [...(panel?.querySelectorAll("*") ?? [])].filter((node) => isShown(node) && [...node.childNodes].some(({ nodeType, textContent }) => nodeType === Node.TEXT_NODE && textContent?.trim() !== ""));
      return [id, {
        marked: marked.length,
        live: marked.filter((node) => !isGrey(node)).map(nameOf),
        coloured: texts.filter((node) => signs.includes(getComputedStyle(node).color) && !isGrey(node)).map(nameOf),
      }];
    }));
  }, [...ids]);

/** The panels that look live, with what does. */
const liveLooks = async (page: Page, listed: readonly ListedPanel[]) =>
  Object.fromEntries(Object.entries(await looks(page, listed.map(({ id }) => id))).filter(([, { live, coloured }]) => live.length + coloured.length > 0));

/** The panels with figures that are not grey. */
const withLiveFigures = async (page: Page, listed: readonly ListedPanel[]) =>
  Object.entries(await looks(page, listed.map(({ id }) => id))).filter(([, { marked, live }]) => marked > 0 && live.length > 0).map(([id]) => id).sort();

/** The dashboard with every panel on the board and figures in all that have some. */
async function openEverything() {
  const opened = await open({ market: STILL, query: "?list=AAPL,KO", context: VIEW });
  const { page, server } = opened;
  const listed = await openAllPanels(page);
  const figured = listed.map(({ id }) => id).filter((id) => !WITHOUT_FIGURES.includes(id)).sort();
  server.print("AAPL", 228.5);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.50");
  const live = async () => {
    await expect.poll(() => withLiveFigures(page, listed), DEADLINE).toEqual(figured);
  };
  const stale = async () => {
    await expect.poll(() => liveLooks(page, listed), DEADLINE).toEqual({});
    expect(await page.getAttribute("body", "data-stale")).toBe("true");
  };
  await live();
  return { ...opened, listed, live, stale };
}

test("a silent server makes every panel grey, and its first new object ends that", async () => {
  const { server, live, stale } = await openEverything();
  server.freeze();
  await stale();

  server.thaw();
  server.dropAll();
  server.print("AAPL", 228.6);
  await live();
});

test("a stopped server makes every panel grey, and its restart ends that", async () => {
  const { page, server, live, stale } = await openEverything();
  const { port } = server;
  await server.kill();
  await stale();

  const again = new FakeServer({ ...STILL, port, epoch: "fake2" });
  onTestFinished(() => again.kill());
  await again.start();
  again.print("AAPL", 229);
  await waitUntilLive(page);
  await live();
});

test("without a network every panel is grey until it is back", async () => {
  const { page, server, live, stale } = await openEverything();
  await page.context().setOffline(true);
  server.dropAll();
  await stale();

  await page.context().setOffline(false);
  await waitUntilLive(page);
  server.print("AAPL", 229);
  await live();
});

test("a page that slept and finds its connections dead shows every panel grey until the first new object", async () => {
  const { page, server, live, stale } = await openEverything();
  const renderers = await renderersOf(page);
  for (const pid of renderers) process.kill(pid, "SIGSTOP");
  onTestFinished(() => {
    for (const pid of renderers) process.kill(pid, "SIGCONT");
  });
  server.freeze();
  server.dropAll();
  await wait(ASLEEP_MS);
  for (const pid of renderers) process.kill(pid, "SIGCONT");
  await stale();

  server.thaw();
  server.dropAll();
  server.print("AAPL", 229);
  await live();
});

/** The processes that render the pages of this browser. */
async function renderersOf(page: Page): Promise<readonly number[]> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send("SystemInfo.getProcessInfo")) ?? { processInfo: [] };
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}
