import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { FakeServer } from "../fake/server";
import { dashboards, DEADLINE, STILL, text, waitUntilLive } from "./dashboard-page";
import { realForTest } from "./real";

/** The source panel: what feeds the page, as far as the server tells. */

const open = dashboards();

const figure = (page: Page, id: string) => text(page, `#panel-source [data-figure="${id}"] .figure`);
const groups = (page: Page) => page.locator("#panel-source .source-group:visible").evaluateAll((nodes) => nodes.map((node) => (node as HTMLElement).dataset["group"]));

/** Opens the panel by its key and waits for the first answers. */
async function openSource(page: Page): Promise<void> {
  await page.keyboard.press("d");
  await expect.poll(() => figure(page, "days"), DEADLINE).not.toBe("loading");
}

test("the panel shows server, feed, market, history and the page's own connection", async () => {
  const { page, server } = await open({ query: "?list=AAPL,KO" });
  await openSource(page);

  expect(await groups(page)).toEqual(["feed", "server", "market", "history", "connection"]);
  await expect.poll(() => figure(page, "source"), DEADLINE).toBe("simulated market");
  expect(await figure(page, "epoch")).toBe("fake1");
  expect(await figure(page, "version")).toBe("0.1.0");
  await expect.poll(() => figure(page, "workers"), DEADLINE).toBe(`${server.sessionCount} · 0`);
  expect(await figure(page, "phase")).toBe("open at all hours");
  expect(await figure(page, "minuteBar")).toMatch(/^\d\d:\d\d · in \d+ s$/);
  expect(await figure(page, "days")).toMatch(/^since [A-Z][a-z]{2} \d+, \d{4}$/);
  await expect.poll(() => figure(page, "offset"), DEADLINE).toMatch(/^[+−]\S+ m?s ± /);
  await expect.poll(() => figure(page, "roundTrip"), DEADLINE).toMatch(/ m?s$/);
});

test("a node of a cluster tells its role, the hops and the other nodes", async () => {
  const { page } = await open({ market: { ...STILL, status: "node" }, query: "?list=AAPL" });
  await openSource(page);

  await expect.poll(() => groups(page), DEADLINE).toEqual(["feed", "server", "cluster", "market", "history", "connection"]);
  expect(await figure(page, "role")).toBe("gateway");
  expect(await figure(page, "hops")).toBe("source 0.2 ms → leader 0.0 ms → NATS 0.1 ms → this node 0.0 ms");
  expect(await figure(page, "node-00000000000000b2")).toBe("feed · leader · 0 sessions · heard 120 ms ago");
  expect(await figure(page, "phase")).toBe("closed");
  expect(await figure(page, "nextOpen")).toMatch(/ · in [23] h$/);
});

test("what the server does not publish is said so, and the page's own figures are shown", async () => {
  const { page } = await open({ market: { ...STILL, status: "hidden" }, query: "?list=AAPL" });
  await openSource(page);

  for (const id of ["source", "version", "uptime", "phase", "minuteBar"]) await expect.poll(() => figure(page, id), DEADLINE).toBe("not served");
  expect(await figure(page, "epoch")).toBe("fake1");
  expect(await figure(page, "gaps")).toBe("0");
});

test("nothing is asked while the panel is closed", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL" });
  const asked = () => server.requests.filter((path) => ["/status", "/metrics", "/v2/clock"].includes(path));
  expect(asked()).toEqual([]);
  await openSource(page);
  await expect.poll(() => new Set(asked()).size, DEADLINE).toBe(3);

  await page.keyboard.press("Escape");
  await expect.poll(() => page.locator("#panel-source").isVisible(), DEADLINE).toBe(false);
  const before = asked().length;
  // Heartbeats show that time passes: the status would have been asked for again.
  const { length } = server.commands;
  await expect.poll(() => server.commands.length, DEADLINE).toBeGreaterThan(length + 1);
  expect(asked().length).toBe(before);
});

test("a restarted server is asked again at once, and is told by its epoch", async () => {
  const { page, server } = await open({ market: STILL, query: "?list=AAPL" });
  await openSource(page);
  const { port } = server;
  await server.kill();
  await expect.poll(() => page.getAttribute("body", "data-stale"), DEADLINE).toBe("true");
  expect(await figure(page, "epoch")).toBe("fake1");

  const again = new FakeServer({ ...STILL, port, epoch: "fake2", status: "node" });
  onTestFinished(() => again.kill());
  await again.start();
  await waitUntilLive(page);
  await expect.poll(() => figure(page, "epoch"), DEADLINE).toBe("fake2");
  await expect.poll(() => figure(page, "role"), DEADLINE).toBe("gateway");
});

test("the real server tells what it is", async () => {
  const { server, browser } = await realForTest();
  const page = await browser.open(server.origin);
  await waitUntilLive(page);
  await openSource(page);

  await expect.poll(() => figure(page, "source"), DEADLINE).toBe("simulated market");
  await expect.poll(() => figure(page, "uptime"), DEADLINE).toMatch(/^\d+ (s|min)$/);
  await expect.poll(() => figure(page, "sessions"), DEADLINE).toBe("1");
  expect(await figure(page, "minutes")).toMatch(/^since \d{4}-\d\d-\d\d \d\d:\d\d$/);
  expect(await figure(page, "phase")).toBe("open at all hours");
});
