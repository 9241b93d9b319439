import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { symbol } from "../fake/builders";
import { FakeServer } from "../fake/server";
import { HistoryClient, millis } from "@tapecast/client";
import { dashboards, DEADLINE, readyState, waitUntilLive, lastOf, STILL, text } from "./dashboard-page";
import { candlesOf, textsOf } from "./candles";

/** Lost connections and restarted servers: the page reconnects by itself, with complete chart and trades. */

const open = dashboards();

const AAPL = symbol("AAPL");

const prints = (page: Page, newest: number) =>
  page.locator("#sales-rows .sales-row:visible").evaluateAll(
    (lines, wanted) => lines.slice(0, wanted).map((line) => (line as HTMLElement).dataset["side"] === "gap" ? "gap" : (line.children[1]?.textContent ?? "")),
    newest,
  );

async function historyOf({ origin }: FakeServer) {
  const history = new HistoryClient(async (path) => (await fetch(`http://${origin}${path}`)).json() as unknown);
  return textsOf((await history.barsBefore(AAPL, "1Sec", millis(Date.now() + 1_000), 20)) ?? []);
}

test("after a lost connection trades and chart have no gap and no duplicate", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL" });
  server.print("AAPL", 228.01);
  server.print("AAPL", 228.02);
  await expect.poll(() => prints(page, 2), DEADLINE).toEqual(["228.02", "228.01"]);
  // The list may be from history. The ticker comes by the stream, in one frame with its trade: only then can the stream be resumed.
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("228.02");

  server.dropAll();
  for (const price of [228.03, 228.04, 228.05]) server.print("AAPL", price);
  await expect.poll(() => text(page, "#count-connections"), DEADLINE).toBe("2");
  await expect.poll(() => text(page, "#count-recovered"), DEADLINE).toBe("3");
  server.print("AAPL", 228.06);

  await expect.poll(() => prints(page, 6), DEADLINE).toEqual(["228.06", "228.05", "228.04", "228.03", "228.02", "228.01"]);
  expect(await text(page, "#meter-gaps")).toBe("0");
  expect(await text(page, "#count-missed")).toBe("0");
  await expect.poll(async () => compareCandles(await candlesOf(page, 60), await historyOf(server)), DEADLINE).toBe("the same");
});

test("after a server restart trades and chart are complete without a reload", async () => {
  const { page, server, log } = await open({ market: STILL, query: "?list=AAPL,KO" });
  server.print("AAPL", 228.01);
  await expect.poll(() => prints(page, 1), DEADLINE).toEqual(["228.01"]);

  const { port } = server;
  await server.kill();
  await expect.poll(() => readyState(page), DEADLINE).toBe("CLOSED");
  await expect.poll(() => text(page, "#connection-reason"), DEADLINE).toMatch(/retrying in \d+ s$/);
  // Some failed attempts, so that the wait has grown.
  const tries = log.sockets;
  await expect.poll(() => log.sockets, DEADLINE).toBeGreaterThan(tries + 2);

  const again = new FakeServer({ ...STILL, port, epoch: "fake2" });
  onTestFinished(() => again.kill());
  await again.start();
  again.print("AAPL", 229.01);
  again.print("AAPL", 229.02);
  await waitUntilLive(page);
  again.print("AAPL", 229.03);

  await expect.poll(() => prints(page, 4), DEADLINE).toEqual(["229.03", "229.02", "229.01", "228.01"]);
  await expect.poll(() => text(page, lastOf("AAPL")), DEADLINE).toBe("229.03");
  await expect.poll(async () => compareCandles(await candlesOf(page, 60), await historyOf(again)), DEADLINE).toBe("the same");
  expect(log.loads).toBe(1);
  expect(log.errors).toEqual([]);
});

test("a drain is announced and sets the time of the reconnect", async () => {
  const { page, server, log } = await open();
  server.drain(60_000);
  server.closeAll(1012);

  await expect.poll(() => text(page, "#notice"), DEADLINE).toContain("Reconnecting in 60 s");
  await expect.poll(() => text(page, "#connection-reason"), DEADLINE).toMatch(/retrying in (60|5\d) s$/);
  await page.locator("#connection-retry").waitFor();

  const { sockets } = log;
  await page.click("#connection-retry");
  await waitUntilLive(page);
  expect(log.sockets).toBe(sockets + 1);
  expect(log.loads).toBe(1);
});

/** "the same" if the newest candles of the chart equal those of history; otherwise both, for the failure message. */
function compareCandles(chart: readonly string[], history: readonly string[]): string {
  const expected = history.slice(-chart.length).join("\n");
  return chart.length > 3 && chart.join("\n") === expected ? "the same" : `chart:\n${chart.join("\n")}\nhistory:\n${expected}`;
}
