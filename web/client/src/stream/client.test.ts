import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { FakeRuntime } from "../../../fake/runtime";
import { waitMs } from "./backoff";
import { Client, DEFAULT_BACKOFF, readyStateOf, type ClientEvents, type ClientState } from ".";

const AAPL = symbol("AAPL");
const KO = symbol("KO");
const TRADE = { T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:30:00Z" };

function client() {
  const runtime = new FakeRuntime();
  const made = new Client(runtime, { url: "ws://test/" });
  const states: ClientState["phase"][] = [];
  made.on("state", ({ phase }) => states.push(phase));
  return { runtime, states, client: made };
}

/** Records the values of an event. */
function recorded<Name extends keyof ClientEvents>(of: Client, name: Name): ClientEvents[Name][] {
  const values: ClientEvents[Name][] = [];
  of.on(name, (value) => values.push(value));
  return values;
}

test("nothing is sent before the greeting, and all subscriptions after it", () => {
  const { runtime, client: it } = client();
  it.subscribe({ trades: [AAPL, KO], quotes: [KO] });
  it.connect();
  it.subscribe({ bars: [AAPL] });

  runtime.socket.open();
  expect(runtime.socket.sent).toEqual([]);
  runtime.socket.receive({ T: "success", msg: "connected" });

  const x = { id: 1, conflate_ms: 0, heartbeat_ms: 2000, snapshot: true };
  expect(runtime.socket.sent).toEqual([{ action: "subscribe", trades: ["AAPL", "KO"], quotes: ["KO"], bars: ["AAPL"], x }]);
});

test("credentials are sent before the subscribe command on each connection", () => {
  const runtime = new FakeRuntime();
  const it = new Client(runtime, { url: "ws://test/", key: { id: "desk", secret: "s" } });
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  expect(runtime.socket.sent).toMatchObject([{ action: "auth", key: "desk", secret: "s" }, { action: "subscribe" }]);

  runtime.socket.remoteClose(1006);
  runtime.advance(DEFAULT_BACKOFF.initialMs);
  runtime.socket.greet();
  expect(runtime.socket.sent[0]).toMatchObject({ action: "auth", key: "desk" });
});

test("a connection is acknowledged after the first accepted command, not after an authentication error", () => {
  const { runtime, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  runtime.socket.receive({ T: "error", code: 401, msg: "not authenticated" });
  expect([it.state.phase, it.isAcknowledged]).toEqual(["live", false]);

  runtime.socket.receive({ T: "subscription", trades: ["AAPL"] });
  expect(it.isAcknowledged).toBe(true);
  runtime.socket.remoteClose(1006);
  expect(it.isAcknowledged).toBe(false);
});

test("a new key is sent at once on a new connection", () => {
  const { runtime, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  runtime.socket.receive({ T: "error", code: 401, msg: "not authenticated" });
  const before = runtime.socket;

  it.authenticate({ id: "desk", secret: "s" });
  expect(before.closedWith).toBeDefined();
  runtime.socket.greet();
  expect(runtime.socket.sent).toMatchObject([{ action: "auth" }, { action: "subscribe", trades: ["AAPL"] }]);
});

test("authenticating reconnects after a close that forbids it", () => {
  const { runtime, states, client: it } = client();
  it.connect();
  runtime.socket.greet();
  runtime.socket.remoteClose(1008);
  expect(states.at(-1)).toBe("ended");

  it.authenticate({ id: "desk", secret: "s" });
  runtime.socket.greet();
  expect(states.at(-1)).toBe("live");
});

test("a session without subscriptions sends nothing", () => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.greet();

  expect(runtime.socket.sent).toEqual([]);
});

test("a live session sends only changes of its subscriptions", () => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.greet();

  it.subscribe({ trades: [AAPL] });
  it.subscribe({ trades: [AAPL, KO] });
  it.subscribe({ trades: [KO] });
  it.unsubscribe({ trades: [AAPL], quotes: [AAPL] });

  expect(runtime.socket.sent).toEqual([
    { action: "subscribe", trades: ["AAPL"], x: { id: 1, conflate_ms: 0, heartbeat_ms: 2000, snapshot: true } },
    { action: "subscribe", trades: ["KO"], x: { id: 2, snapshot: true } },
    { action: "unsubscribe", trades: ["AAPL"] },
  ]);
});

test("the first subscription of a session that is live already has the session's options", () => {
  const runtime = new FakeRuntime();
  const it = new Client(runtime, { url: "ws://test/", conflateMs: 250 });
  it.connect();
  runtime.socket.greet();

  it.subscribe({ trades: [AAPL] });

  expect(runtime.socket.sent).toMatchObject([{ trades: ["AAPL"], x: { conflate_ms: 250, heartbeat_ms: 2000 } }]);
});

test("after a close it waits, reconnects and sends the current subscriptions", () => {
  const { runtime, states, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();

  runtime.socket.remoteClose(1012);
  it.subscribe({ trades: [KO] });
  it.unsubscribe({ trades: [AAPL] });
  expect(runtime.sockets).toHaveLength(1);
  runtime.advance(DEFAULT_BACKOFF.initialMs);
  runtime.socket.greet();

  expect(runtime.sockets).toHaveLength(2);
  expect(runtime.socket.sent).toMatchObject([{ action: "subscribe", trades: ["KO"] }]);
  expect(states).toEqual(["connecting", "greeting", "live", "waiting", "connecting", "greeting", "live"]);
});

test("each failure doubles the wait, up to the fast limit and after a minute up to the maximum", () => {
  const { runtime, client: it } = client();
  it.connect();

  const waits = Array.from({ length: 54 }, () => {
    runtime.socket.remoteClose(1006);
    const { state } = it;
    const wait = state.phase === "waiting" ? state.until - runtime.now() : Number.NaN;
    runtime.advance(wait);
    return wait;
  });

  expect(waits.slice(0, 5)).toEqual([250, 500, 1000, 1800, 1800]);
  expect(waits.slice(47)).toEqual([1800, 3600, 7200, 14_400, 28_800, 30_000, 30_000]);
});

test("half of the wait is jitter", () => {
  expect(waitMs(1, "soon", 0, DEFAULT_BACKOFF)).toBe(125);
  expect(waitMs(1, "soon", 0.5, DEFAULT_BACKOFF)).toBe(187.5);
  expect(waitMs(90, "soon", 0, DEFAULT_BACKOFF)).toBe(15_000);
});

test(`the advice "later" has a longer minimum wait`, () => {
  expect(waitMs(1, "later", 0, DEFAULT_BACKOFF)).toBe(DEFAULT_BACKOFF.laterMs);
});

test("a long session resets the failure count, a short one does not", () => {
  const { runtime, client: it } = client();
  const waitAfterLiving = (ms: number) => {
    runtime.socket.greet();
    runtime.advance(ms);
    runtime.socket.remoteClose(1006);
    const { state } = it;
    const wait = state.phase === "waiting" ? state.until - runtime.now() : Number.NaN;
    runtime.advance(wait);
    return wait;
  };
  it.connect();

  expect(waitAfterLiving(100)).toBe(250);
  expect(waitAfterLiving(100)).toBe(500);
  expect(waitAfterLiving(DEFAULT_BACKOFF.resetAfterMs)).toBe(250);
});

test("a connection without a greeting is dropped and retried", () => {
  const { runtime, states, client: it } = client();
  it.connect();
  const silent = runtime.socket;
  silent.open();

  runtime.advance(10_000);
  expect(silent.closedWith).toBeDefined();
  expect(states.at(-1)).toBe("waiting");
  runtime.advance(250);
  silent.remoteClose(1006);

  expect(runtime.sockets).toHaveLength(2);
  expect(states.at(-1)).toBe("connecting");
});

test("a close that forbids a reconnect is final until connect is called", () => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.greet();

  runtime.socket.remoteClose(1008);
  runtime.advance(3_600_000);
  expect(runtime.sockets).toHaveLength(1);
  expect(it.state).toMatchObject({ phase: "ended", close: { code: 1008, reconnect: "never" } });

  it.connect();
  expect(runtime.sockets).toHaveLength(2);
});

test.each([
  [1002, "protocol error"],
  [1007, "cannot inflate message"],
  [1009, "message too big"],
])("a close that the client caused is final: %d, %s", (code, reason) => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.greet();

  runtime.socket.remoteClose(code, reason);
  runtime.advance(3_600_000);

  expect(runtime.sockets).toHaveLength(1);
  expect(it.state).toMatchObject({ phase: "ended", close: { code, reason } });
});

test("connect cancels a wait and opens only one socket", () => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.remoteClose(1006);

  it.connect();
  it.connect();
  runtime.advance(1000);

  expect(runtime.sockets).toHaveLength(2);
});

test("close waits for the server's Close frame and leaves no timer", () => {
  const { runtime, states, client: it } = client();
  it.connect();
  runtime.socket.greet();

  it.close();
  expect(readyStateOf(it.state)).toBe("CLOSING");
  runtime.socket.remoteClose(1000);
  runtime.advance(3_600_000);

  expect(states.at(-1)).toBe("ended");
  expect(runtime.sockets).toHaveLength(1);
  expect(runtime.timersPending).toBe(0);
});

test("close cancels a wait", () => {
  const { runtime, client: it } = client();
  it.connect();
  runtime.socket.remoteClose(1006);

  it.close();

  expect(it.state.phase).toBe("ended");
  expect(runtime.timersPending).toBe(0);
});

test("the events of a frame arrive together, a gap is emitted, and a server without resume starts new numbers", () => {
  const { runtime, client: it } = client();
  const market = recorded(it, "market");
  const gaps = recorded(it, "gap");
  it.connect();
  runtime.socket.greet();

  runtime.socket.receive({ ...TRADE, sq: 1 }, { ...TRADE, sq: 2 });
  runtime.socket.receive({ ...TRADE, sq: 7 });
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();
  runtime.socket.receive({ T: "subscription" });
  runtime.socket.receive({ ...TRADE, sq: 1 });

  expect(market.map(({ events }) => events.length)).toEqual([2, 1, 1]);
  expect(gaps).toEqual([{ channel: "trades", symbol: "AAPL", from: 3, to: 6, detectedBy: "client" }]);
});

test("a server error and a malformed frame are emitted and do not end the session", () => {
  const { runtime, client: it } = client();
  const serverErrors = recorded(it, "serverError");
  const errors = recorded(it, "unreadable");
  it.connect();
  runtime.socket.greet();

  runtime.socket.receive({ T: "error", code: 405, msg: "symbol limit exceeded", why: "at most 30 names" });
  runtime.socket.receive({ T: "t" });

  expect(serverErrors).toEqual([{ code: 405, message: "symbol limit exceeded", why: "at most 30 names" }]);
  expect(errors).toHaveLength(1);
  expect(it.state.phase).toBe("live");
});

test("a removed listener is not called", () => {
  const { client: it } = client();
  const states: string[] = [];
  const stop = it.on("state", ({ phase }) => states.push(phase));

  stop();
  it.connect();

  expect(states).toEqual([]);
});

test("another URL takes a new connection at once, on which streams resume", () => {
  const { runtime, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  runtime.socket.receive({ T: "subscription", trades: ["AAPL"], x: { id: 1, epoch: "k3" } });
  runtime.socket.receive({ ...TRADE, sq: 4 });
  const before = runtime.socket;

  it.moveTo("ws://test/?userId=anna");
  runtime.socket.greet();

  expect([before.closedWith !== undefined, runtime.socket.url]).toEqual([true, "ws://test/?userId=anna"]);
  expect(runtime.socket.sent).toMatchObject([{ trades: ["AAPL"], x: { resume: { epoch: "k3", sq: { trades: { AAPL: 4 } } } } }]);
});

test("the frame event has each message as it is on the wire, until its listener is removed", () => {
  const { runtime, client: it } = client();
  const frames: ClientEvents["frame"][] = [];
  const stop = it.on("frame", (frame) => frames.push(frame));
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  const sent = { action: "subscribe", trades: ["AAPL"], x: { id: 1, conflate_ms: 0, heartbeat_ms: 2000, snapshot: true } };
  expect(frames.map(({ direction, data, at }) => [direction, JSON.parse(String(data)) as unknown, at])).toEqual([
    ["in", [{ T: "success", msg: "connected" }], runtime.now()],
    ["out", sent, runtime.now()],
  ]);

  stop();
  runtime.socket.receive({ ...TRADE, sq: 1 });
  it.subscribe({ trades: [KO] });
  expect(frames).toHaveLength(2);
});

test("a tool's message is sent as it is, on a live connection only, and its answer is not taken for that of a command", () => {
  const { runtime, client: it } = client();
  const roundTrips = recorded(it, "roundTrip");
  expect(it.sendText("{}")).toBe(false);
  it.connect();
  expect(it.sendText("{}")).toBe(false);
  runtime.socket.greet();

  expect(it.sendText('{"action":"subscribe","x":{"id":"wire-1"}}')).toBe(true);
  runtime.socket.receive({ T: "subscription", x: { id: "wire-1", epoch: "k3" } });
  expect(runtime.socket.sent).toEqual([{ action: "subscribe", x: { id: "wire-1" } }]);
  expect([roundTrips, it.serverEpoch]).toEqual([[], "k3"]);
});

test("a conflation interval that a tool asked for can be changed back", () => {
  const { runtime, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  runtime.socket.greet();
  runtime.socket.receive({ T: "subscription", x: { id: 1, epoch: "k3" } });
  runtime.socket.receive({ T: "subscription", x: { id: "wire-1", epoch: "k3", conflate_ms: 1000 } });

  it.setConflation(0);
  expect(runtime.socket.sent.at(-1)).toEqual({ action: "subscribe", x: { id: 2, conflate_ms: 0 } });
});
