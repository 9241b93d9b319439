import { expect, test } from "vitest";
import { symbol } from "../../fake/make";
import { FakeWorld } from "../../fake/world";
import { waitMs } from "./backoff";
import { Client, DEFAULT_BACKOFF, readyStateOf, type ClientEvents, type ClientState } from ".";

const AAPL = symbol("AAPL");
const KO = symbol("KO");
const TRADE = { T: "t", S: "AAPL", p: 10, s: 1, t: "2026-11-20T14:30:00Z" };

function client() {
  const world = new FakeWorld();
  const made = new Client(world, { url: "ws://test/" });
  const states: ClientState["phase"][] = [];
  made.on("state", ({ phase }) => states.push(phase));
  return { world, states, client: made };
}

/** What a listener to this event heard. */
function heard<Name extends keyof ClientEvents>(of: Client, name: Name): ClientEvents[Name][] {
  const values: ClientEvents[Name][] = [];
  of.on(name, (value) => values.push(value));
  return values;
}

test("nothing is sent before the greeting, and all that is wanted after it", () => {
  const { world, client: it } = client();
  it.subscribe({ trades: [AAPL, KO], quotes: [KO] });
  it.connect();
  it.subscribe({ bars: [AAPL] });

  world.socket.open();
  expect(world.socket.sent).toEqual([]);
  world.socket.receive({ T: "success", msg: "connected" });

  const x = { id: 1, conflate_ms: 0, heartbeat_ms: 2000, snapshot: true };
  expect(world.socket.sent).toEqual([{ action: "subscribe", trades: ["AAPL", "KO"], quotes: ["KO"], bars: ["AAPL"], x }]);
});

test("a key is shown before anything is asked for, on each connection", () => {
  const world = new FakeWorld();
  const it = new Client(world, { url: "ws://test/", key: { id: "desk", secret: "s" } });
  it.subscribe({ trades: [AAPL] });
  it.connect();
  world.socket.greet();
  expect(world.socket.sent).toMatchObject([{ action: "auth", key: "desk", secret: "s" }, { action: "subscribe" }]);

  world.socket.end(1006);
  world.pass(DEFAULT_BACKOFF.firstMs);
  world.socket.greet();
  expect(world.socket.sent[0]).toMatchObject({ action: "auth", key: "desk" });
});

test("a connection is served when a command was taken, and not while a key is asked for", () => {
  const { world, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  world.socket.greet();
  world.socket.receive({ T: "error", code: 401, msg: "not authenticated" });
  expect([it.state.phase, it.isServed]).toEqual(["live", false]);

  world.socket.receive({ T: "subscription", trades: ["AAPL"] });
  expect(it.isServed).toBe(true);
  world.socket.end(1006);
  expect(it.isServed).toBe(false);
});

test("a key that is presented later is shown at once, on a new connection", () => {
  const { world, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  world.socket.greet();
  world.socket.receive({ T: "error", code: 401, msg: "not authenticated" });
  const before = world.socket;

  it.present({ id: "desk", secret: "s" });
  expect(before.closedWith).toBeDefined();
  world.socket.greet();
  expect(world.socket.sent).toMatchObject([{ action: "auth" }, { action: "subscribe", trades: ["AAPL"] }]);
});

test("a key opens what a refusal has closed for good", () => {
  const { world, states, client: it } = client();
  it.connect();
  world.socket.greet();
  world.socket.end(1008);
  expect(states.at(-1)).toBe("ended");

  it.present({ id: "desk", secret: "s" });
  world.socket.greet();
  expect(states.at(-1)).toBe("live");
});

test("a session that wants nothing says nothing", () => {
  const { world, client: it } = client();
  it.connect();
  world.socket.greet();

  expect(world.socket.sent).toEqual([]);
});

test("a live session is told differences only", () => {
  const { world, client: it } = client();
  it.connect();
  world.socket.greet();

  it.subscribe({ trades: [AAPL] });
  it.subscribe({ trades: [AAPL, KO] });
  it.subscribe({ trades: [KO] });
  it.unsubscribe({ trades: [AAPL], quotes: [AAPL] });

  expect(world.socket.sent).toEqual([
    { action: "subscribe", trades: ["AAPL"], x: { id: 1, snapshot: true } },
    { action: "subscribe", trades: ["KO"], x: { id: 2, snapshot: true } },
    { action: "unsubscribe", trades: ["AAPL"] },
  ]);
});

test("after a close it waits, connects and subscribes to what is wanted by then", () => {
  const { world, states, client: it } = client();
  it.subscribe({ trades: [AAPL] });
  it.connect();
  world.socket.greet();

  world.socket.end(1012);
  it.subscribe({ trades: [KO] });
  it.unsubscribe({ trades: [AAPL] });
  expect(world.sockets).toHaveLength(1);
  world.pass(DEFAULT_BACKOFF.firstMs);
  world.socket.greet();

  expect(world.sockets).toHaveLength(2);
  expect(world.socket.sent).toMatchObject([{ action: "subscribe", trades: ["KO"] }]);
  expect(states).toEqual(["connecting", "greeting", "live", "waiting", "connecting", "greeting", "live"]);
});

test("each failure doubles the wait, to what a person bears, and after a minute to the longest", () => {
  const { world, client: it } = client();
  it.connect();

  const waits = Array.from({ length: 54 }, () => {
    world.socket.end(1006);
    const { state } = it;
    const wait = state.phase === "waiting" ? state.until - world.now() : Number.NaN;
    world.pass(wait);
    return wait;
  });

  expect(waits.slice(0, 5)).toEqual([250, 500, 1000, 1800, 1800]);
  expect(waits.slice(47)).toEqual([1800, 3600, 7200, 14_400, 28_800, 30_000, 30_000]);
});

test("chance has half of the wait", () => {
  expect(waitMs(1, "soon", 0, DEFAULT_BACKOFF)).toBe(125);
  expect(waitMs(1, "soon", 0.5, DEFAULT_BACKOFF)).toBe(187.5);
  expect(waitMs(90, "soon", 0, DEFAULT_BACKOFF)).toBe(15_000);
});

test("a server that says later is left alone for longer", () => {
  expect(waitMs(1, "later", 0, DEFAULT_BACKOFF)).toBe(DEFAULT_BACKOFF.laterMs);
});

test("a session that lived forgives the failures before it, a short one does not", () => {
  const { world, client: it } = client();
  const waitAfterLiving = (ms: number) => {
    world.socket.greet();
    world.pass(ms);
    world.socket.end(1006);
    const { state } = it;
    const wait = state.phase === "waiting" ? state.until - world.now() : Number.NaN;
    world.pass(wait);
    return wait;
  };
  it.connect();

  expect(waitAfterLiving(100)).toBe(250);
  expect(waitAfterLiving(100)).toBe(500);
  expect(waitAfterLiving(DEFAULT_BACKOFF.forgiveMs)).toBe(250);
});

test("a server that does not greet is given up and tried again", () => {
  const { world, states, client: it } = client();
  it.connect();
  const silent = world.socket;
  silent.open();

  world.pass(10_000);
  expect(silent.closedWith).toBeDefined();
  expect(states.at(-1)).toBe("waiting");
  world.pass(250);
  silent.end(1006);

  expect(world.sockets).toHaveLength(2);
  expect(states.at(-1)).toBe("connecting");
});

test("a close that says not to come back is the end, until somebody asks", () => {
  const { world, client: it } = client();
  it.connect();
  world.socket.greet();

  world.socket.end(1008);
  world.pass(3_600_000);
  expect(world.sockets).toHaveLength(1);
  expect(it.state).toMatchObject({ phase: "ended", close: { code: 1008, reconnect: "never" } });

  it.connect();
  expect(world.sockets).toHaveLength(2);
});

test("asking to connect cuts a wait short, and opens no second socket", () => {
  const { world, client: it } = client();
  it.connect();
  world.socket.end(1006);

  it.connect();
  it.connect();
  world.pass(1000);

  expect(world.sockets).toHaveLength(2);
});

test("closing is agreed with the server and leaves nothing behind", () => {
  const { world, states, client: it } = client();
  it.connect();
  world.socket.greet();

  it.close();
  expect(readyStateOf(it.state)).toBe("CLOSING");
  world.socket.end(1000);
  world.pass(3_600_000);

  expect(states.at(-1)).toBe("ended");
  expect(world.sockets).toHaveLength(1);
  expect(world.timersPending).toBe(0);
});

test("closing while it waits ends the waiting", () => {
  const { world, client: it } = client();
  it.connect();
  world.socket.end(1006);

  it.close();

  expect(it.state.phase).toBe("ended");
  expect(world.timersPending).toBe(0);
});

test("a frame's events arrive together, a gap is told and a server that cannot resume starts counting anew", () => {
  const { world, client: it } = client();
  const market = heard(it, "market");
  const gaps = heard(it, "gap");
  it.connect();
  world.socket.greet();

  world.socket.receive({ ...TRADE, sq: 1 }, { ...TRADE, sq: 2 });
  world.socket.receive({ ...TRADE, sq: 7 });
  world.socket.end(1006);
  world.pass(250);
  world.socket.greet();
  world.socket.receive({ T: "subscription" });
  world.socket.receive({ ...TRADE, sq: 1 });

  expect(market.map(({ events }) => events.length)).toEqual([2, 1, 1]);
  expect(gaps).toEqual([{ channel: "trades", symbol: "AAPL", from: 3, to: 6, known: "noticed" }]);
});

test("an error of the server and a broken frame are told and end nothing", () => {
  const { world, client: it } = client();
  const refused = heard(it, "refused");
  const errors = heard(it, "fault");
  it.connect();
  world.socket.greet();

  world.socket.receive({ T: "error", code: 405, msg: "symbol limit exceeded" });
  world.socket.receive({ T: "t" });

  expect(refused).toEqual([{ code: 405, message: "symbol limit exceeded" }]);
  expect(errors).toHaveLength(1);
  expect(it.state.phase).toBe("live");
});

test("a listener that stopped listening hears nothing", () => {
  const { client: it } = client();
  const heardStates: string[] = [];
  const stop = it.on("state", ({ phase }) => heardStates.push(phase));

  stop();
  it.connect();

  expect(heardStates).toEqual([]);
});
