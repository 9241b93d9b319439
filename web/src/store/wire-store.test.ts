import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { FakeRuntime } from "../../fake/runtime";
import { Client, type ClientEvents } from "@tapecast/client";
import { writeMessagePack } from "../wire-log";
import { WireStore, type ProbeLike, type WireHost } from "./wire-store";

type ProbeEvents = Parameters<WireHost["openProbe"]>[1];

class FakeProbe implements ProbeLike {
  readonly protocol = "";
  readonly extensions = "permessage-deflate";
  readonly sent: (string | Uint8Array)[] = [];
  readonly url: string;
  readonly events: ProbeEvents;
  ended: "close" | "drop" | undefined;

  constructor(url: string, events: ProbeEvents) {
    this.url = url;
    this.events = events;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.ended = "close";
  }

  drop(): void {
    this.ended = "drop";
  }
}

/** A client whose listeners are counted by name. */
function countedClient(runtime: FakeRuntime) {
  const client = new Client(runtime, { url: "ws://test/websocket/connect?userId=3" });
  const listeners = new Map<string, number>();
  const count = (name: string, by: number) => listeners.set(name, (listeners.get(name) ?? 0) + by);
  const on = client.on.bind(client);
  client.on = <Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void) => {
    const stop = on(name, listener);
    count(name, 1);
    return () => {
      count(name, -1);
      stop();
    };
  };
  return { client, listeners };
}

function setUp() {
  const runtime = new FakeRuntime();
  const { client, listeners } = countedClient(runtime);
  const probes: FakeProbe[] = [];
  let changes = 0;
  client.subscribe({ trades: [symbol("AAPL")] });
  client.connect();
  runtime.socket.greet();
  runtime.socket.receive({ T: "subscription", x: { id: 1, epoch: "k3" } });
  const open = () =>
    new WireStore({
      client,
      now: runtime.now,
      urlOf: (target) => `ws://test/${target}`,
      openProbe: (url, events) => {
        const probe = new FakeProbe(url, events);
        probes.push(probe);
        return probe;
      },
      changed: () => (changes += 1),
    });
  return { runtime, client, listeners, probes, open, changes: () => changes };
}

test("while the panel is closed the client has no listener for it, and nothing is kept", () => {
  const { runtime, listeners, open, changes } = setUp();
  expect(listeners).toEqual(new Map());
  const store = open();
  expect(listeners).toEqual(new Map([["frame", 1], ["state", 1]]));
  runtime.socket.receive({ T: "h" });
  expect(store.log.total).toBe(1);

  store.end();
  const before = changes();
  expect(listeners).toEqual(new Map([["frame", 0], ["state", 0]]));
  runtime.socket.receive({ T: "h" });
  runtime.socket.remoteClose(1012);
  expect([store.log.total, changes()]).toEqual([1, before]);
  expect(open().log.total).toBe(0);
});

test("a command goes out on the page's connection, and its answer is marked with the round trip", () => {
  const { runtime, open } = setUp();
  const store = open();
  expect(store.nextCommand).toBe(1);
  store.send('{"action":"subscribe","x":{"id":"wire-1"}}');
  expect(store.outcome).toEqual({ command: 1, status: "waiting" });
  runtime.advance(12);
  runtime.socket.receive({ T: "t", S: "AAPL", p: 1, s: 1, t: "2026-11-20T14:30:00Z" });
  runtime.socket.receive({ T: "subscription", x: { id: "wire-1", epoch: "k3" } });

  expect(runtime.socket.sent.at(-1)).toEqual({ action: "subscribe", x: { id: "wire-1" } });
  expect(store.log.entries.map(({ direction, mark }) => [direction, mark])).toEqual([
    ["out", { command: 1 }],
    ["in", undefined],
    ["in", { command: 1, roundTripMs: 12 }],
  ]);
  expect(store.outcome).toMatchObject({ command: 1, status: "answered", roundTripMs: 12, answer: store.log.entries.at(-1) });
});

test("a malformed command is answered by an error", () => {
  const { runtime, open } = setUp();
  const store = open();
  const sent: string[] = [];
  runtime.socket.send = (text) => sent.push(text);
  store.send('{"action":');
  expect(store.isRefused).toBe(false);
  runtime.socket.receive({ T: "error", code: 400, msg: "invalid syntax" });
  expect(store.isRefused).toBe(true);
  expect([sent, store.outcome?.status, store.log.entries.at(-1)?.mark]).toEqual([['{"action":'], "answered", { command: 1, roundTripMs: 0 }]);
  runtime.socket.receive({ T: "error", code: 405, msg: "symbol limit exceeded" });
  expect(store.isRefused).toBe(false);
});

test("the secret of a command is sent, and is nowhere in the store", () => {
  const { runtime, open } = setUp();
  const store = open();
  store.send('{"action":"auth","key":"desk","secret":"hunter2"}');
  expect(runtime.socket.sent.at(-1)).toEqual({ action: "auth", key: "desk", secret: "hunter2" });
  expect(JSON.stringify([store.log, store.outcome, store.log.entries.map(({ text, facts }) => [text, facts])])).not.toContain("hunter2");
});

test("the states have their times, and a close has its code", () => {
  const { runtime, client, open } = setUp();
  const since = runtime.now();
  runtime.advance(1_000);
  const store = open();
  store.send('{"x":{"id":"a"}}');
  runtime.socket.remoteClose(1012, "restart");
  expect(store.outcome).toEqual({ command: 1, status: "lost" });
  expect(store.connection).toMatchObject({ state: "CLOSED", states: [{ state: "OPEN", at: since }, { state: "CLOSED", at: runtime.now(), close: { code: 1012 } }] });
  store.send("{}");
  expect(store.outcome).toEqual({ command: 2, status: "unsent" });

  client.connect();
  runtime.socket.greet();
  client.close();
  expect(store.connection.states.map(({ state }) => state)).toEqual(["OPEN", "CLOSED", "CONNECTING", "OPEN", "CLOSING"]);
});

test("/echo has a connection, a log and answers of its own", () => {
  const { runtime, probes, open } = setUp();
  const store = open();
  store.choose("echo");
  const [probe] = probes;
  expect([probe?.url, store.connection.state, store.log.total]).toEqual(["ws://test/echo", "CONNECTING", 0]);
  store.send("too early");
  expect(store.outcome?.status).toBe("unsent");
  probe?.events.opened();
  store.send("hello");
  runtime.advance(3);
  probe?.events.received("hello");
  expect(store.outcome).toMatchObject({ command: 2, status: "answered", roundTripMs: 3 });
  expect([store.connection.extensions, store.log.total]).toEqual(["permessage-deflate", 2]);

  store.disconnect();
  expect([probe?.ended, store.connection.state]).toEqual(["close", "CLOSING"]);
  probe?.events.closed(1000, "");
  store.connect();
  expect(probes).toHaveLength(2);

  store.choose("live");
  expect([probes[1]?.ended, store.outcome, store.connection.address]).toEqual(["drop", undefined, "ws://test/websocket/connect?userId=3"]);
});

test("on a MessagePack connection a command is encoded and an answer decoded, and a malformed one goes as text", () => {
  const { probes, open } = setUp();
  const store = open();
  store.choose("msgpack");
  const [probe] = probes;
  probe?.events.opened();
  probe?.events.received(writeMessagePack([{ T: "success", msg: "connected" }]));
  store.send('{"action":"subscribe","x":{"id":"wire-1"}}');
  probe?.events.received(writeMessagePack([{ T: "subscription", x: { id: "wire-1" } }]));
  store.send("{");
  expect(probe?.sent).toEqual([writeMessagePack({ action: "subscribe", x: { id: "wire-1" } }), "{"]);
  expect(store.log.entries.map(({ codec, text }) => [codec, text])).toEqual([
    ["binary", '[{"T":"success","msg":"connected"}]'],
    ["binary", '{"action":"subscribe","x":{"id":"wire-1"}}'],
    ["binary", '[{"T":"subscription","x":{"id":"wire-1"}}]'],
    ["text", "{"],
  ]);
  store.end();
  expect(probe?.ended).toBe("drop");
});
