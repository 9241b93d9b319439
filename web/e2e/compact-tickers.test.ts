import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { FakeServer } from "../fake/server";
import { dashboards, DEADLINE, lastOf, readyState, rowOf, STILL, text, waitUntilLive } from "./dashboard-page";

/** Tickers that are sent as some of their fields, and of these what changed: the board shows what whole ones would. */

const open = dashboards();

const SYMBOLS = ["AAPL", "KO", "MSFT", "XOM"] as const;
const WIDE = { context: { viewport: { width: 1920, height: 1000 } }, query: `?list=${SYMBOLS.join()}` } as const;

const cell = async (page: Page, symbol: string, column: string) => (await page.locator(`${rowOf(symbol)} [col-id=${column}]`).first().textContent())?.replaceAll(",", "");

/** What of each row is a figure of the ticker. */
const shown = (page: Page) =>
  Promise.all(SYMBOLS.map(async (symbol) => [await cell(page, symbol, "last"), await cell(page, symbol, "change"), await cell(page, symbol, "bid"), await cell(page, symbol, "ask"), await cell(page, symbol, "range")]));

/** The same of the server's newest tickers, which are whole. */
const expected = (server: FakeServer) =>
  SYMBOLS.map((symbol) => {
    const { p, pc, bp, bs, ap, as, l, h } = server.tickerOf(symbol) as unknown as Readonly<Record<string, number>>;
    const fixed = (value: number | undefined) => (value ?? Number.NaN).toFixed(2);
    const change = (p ?? 0) - (pc ?? 0);
    const sign = change > 0 ? "+" : change < 0 ? "−" : "";
    return [fixed(p), `${sign}${Math.abs(change).toFixed(2)}`, `${fixed(bp)}×${bs ?? ""}`, `${fixed(ap)}×${as ?? ""}`, `${fixed(l)}${fixed(h)}`];
  });

/** The tickers that the page receives from now on, as they are on the wire. */
function tickersOf(page: Page): readonly Readonly<Record<string, unknown>>[] {
  const received: Readonly<Record<string, unknown>>[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const objects = JSON.parse(String(payload)) as readonly Readonly<Record<string, unknown>>[];
      received.push(...objects.filter(({ T }) => T === "k"));
    }),
  );
  return received;
}

const optionsOf = ({ commands }: FakeServer) =>
  commands.flatMap(({ x }) => {
    const { fields, delta } = (x ?? {}) as { readonly fields?: { readonly tickers: readonly string[] }; readonly delta?: boolean };
    return fields === undefined ? [] : [{ fields: fields.tickers, delta }];
  });

/** Changes the market once; every fifth time only a quote, of which some sizes stay. */
function change(server: FakeServer, at: number): void {
  const symbol = SYMBOLS[at % SYMBOLS.length] ?? "AAPL";
  if (at % 5 === 0) server.quote(symbol);
  else server.stepOf(symbol);
}

test("after 100 changes, a lost connection and a restart the board shows the whole state", async () => {
  const { page, server } = await open({ market: STILL, ...WIDE });
  const received = tickersOf(page);
  await page.reload();
  await waitUntilLive(page);
  await page.locator("#refresh").fill("0");
  await expect.poll(() => server.commands.some(({ x }) => (x as { conflate_ms?: number } | undefined)?.conflate_ms === 0), DEADLINE).toBe(true);

  for (let at = 0; at < 100; at += 1) change(server, at);
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));
  const partial = received.filter((object) => object["full"] === undefined);
  expect(partial).toHaveLength(100);
  expect(received.flatMap((object) => Object.keys(object).filter((key) => ["s", "n", "vw"].includes(key)))).toEqual([]);
  // The previous close and the open do not change, and a quote leaves the last price.
  expect(partial.filter((object) => "pc" in object || "o" in object)).toEqual([]);
  expect(partial.filter((object) => !("p" in object)).length).toBeGreaterThan(15);

  server.dropAll();
  for (let at = 0; at < 30; at += 1) change(server, at);
  await expect.poll(() => text(page, "#count-connections"), DEADLINE).toBe("2");
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));
  for (let at = 0; at < 30; at += 1) change(server, at);
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));
  expect(await text(page, "#count-missed")).toBe("0");
});

test("a column that is switched on has its values at once, and one that is switched off is no longer received", async () => {
  const { page, server } = await open({ market: STILL, ...WIDE });
  const newest = () => optionsOf(server).at(-1)?.fields;
  await expect.poll(newest, DEADLINE).toEqual(["ap", "as", "bp", "bs", "h", "p", "l", "o", "pc", "v"]);
  expect(optionsOf(server)).toEqual([{ fields: newest(), delta: true }]);

  const toggle = (name: string) => page.locator("#columns label", { hasText: name }).click();
  await page.click("#columns-button");
  await toggle("Bid");
  await expect.poll(newest, DEADLINE).toEqual(["ap", "as", "h", "p", "l", "o", "pc", "v"]);
  server.stepOf("KO");
  await expect.poll(() => text(page, lastOf("KO")), DEADLINE).toBe(expected(server)[1]?.[0]);

  await toggle("Bid");
  await expect.poll(newest, DEADLINE).toEqual(["ap", "as", "bp", "bs", "h", "p", "l", "o", "pc", "v"]);
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));

  // The card of the last trade shows both sides too.
  await toggle("Bid");
  await expect.poll(newest, DEADLINE).not.toContain("bp");
  await page.keyboard.press("Escape");
  await page.hover(`${rowOf("KO")} .c-name`);
  await expect.poll(() => text(page, ".trade-card .trade-bid dd"), DEADLINE).toBe(expected(server)[1]?.[2]?.replace("×", " × "));
  expect(await text(page, "#count-missed")).toBe("0");
});

test("a phone receives no quotes, which it does not show", async () => {
  const { server } = await open({ market: STILL, ...WIDE, context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } });
  await expect.poll(() => optionsOf(server).at(-1)?.fields, DEADLINE).toEqual(["h", "p", "l", "o", "pc", "v"]);
});

test("a server that does not know these options sends whole tickers", async () => {
  const { page, server } = await open({ market: { ...STILL, compactTickers: "none" }, ...WIDE });
  const received = tickersOf(page);
  await page.reload();
  await waitUntilLive(page);

  for (let at = 0; at < 20; at += 1) change(server, at);
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));
  expect(received.filter((object) => !("vw" in object))).toEqual([]);
  server.dropAll();
  await expect.poll(() => text(page, "#count-connections"), DEADLINE).toBe("2");
  await expect.poll(() => readyState(page), DEADLINE).toBe("OPEN");
  for (let at = 0; at < 20; at += 1) change(server, at);
  await expect.poll(() => shown(page), DEADLINE).toEqual(expected(server));
});
