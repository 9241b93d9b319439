import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { FakeRuntime } from "../../fake/runtime";
import { FullClient } from "@tapecast/client";
import { LOBBY } from "../topics";
import { ChatStore } from ".";

const message = (topic: string, sq: number, text: string) => ({ T: "m", S: topic, d: { text }, by: "anna", t: "2026-11-20T14:31:00Z", sq });

/** Storage that a test can read. */
function memory() {
  let stored: string | null = null;
  return { load: () => stored, save: (text: string) => { stored = text; } };
}

/** A store whose server acknowledges each subscription to topics, except to those that it does not have. */
function connected(missing: readonly string[] = [], storage = memory()) {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  const store = new ChatStore(client, runtime, storage, () => undefined);
  const held = new Set<string>();
  let answered = 0;
  const settle = (epoch = "k3") => {
    for (; answered < runtime.socket.sent.length; answered += 1) {
      const { action, topics = [], x } = runtime.socket.sent[answered] as { action: string; topics?: string[]; x?: { id: number } };
      for (const topic of topics) {
        if (action === "unsubscribe") held.delete(topic);
        else if (!missing.includes(topic)) held.add(topic);
      }
      if (action === "subscribe") runtime.socket.receive({ T: "subscription", topics: [...held], x: { id: x?.id, epoch } });
    }
  };
  client.connect();
  runtime.socket.greet();
  settle();
  const reconnect = (epoch: string) => {
    runtime.socket.remoteClose(1006);
    runtime.advance(250);
    answered = 0;
    held.clear();
    runtime.socket.greet();
    settle(epoch);
  };
  return { runtime, store, settle, reconnect };
}

const topicsOf = (store: ChatStore) => store.all.map(({ room, access }) => `${room.topic} ${access}`);

/** The id of the last command. */
const lastId = (runtime: FakeRuntime) => (runtime.socket.sent.at(-1) as { x: { id: number } }).x.id;

test("the room of a symbol is entered once it is selected for a while, and left for that of the next", () => {
  const { runtime, store, settle } = connected();
  for (const name of ["AAPL", "KO", "TSLA"]) store.showSymbol(symbol(name));
  runtime.advance(300);
  settle();
  expect(topicsOf(store)).toEqual(["chat:lobby open", "chat:TSLA open"]);
  store.choose("chat:TSLA");

  store.showSymbol(symbol("KO"));
  runtime.advance(300);
  settle();
  expect(topicsOf(store)).toEqual(["chat:lobby open", "chat:KO open"]);
  expect(store.activeTopic).toBe("chat:KO");
  expect(runtime.socket.sent).toContainEqual({ action: "unsubscribe", topics: ["chat:TSLA"] });
});

test("a room in which the user wrote stays", async () => {
  const { runtime, store, settle } = connected();
  store.showSymbol(symbol("KO"));
  runtime.advance(300);
  settle();
  store.choose("chat:KO");
  const sent = store.send("hi");
  runtime.socket.receive({ T: "published", topic: "chat:KO", sq: 1, epoch: "k3", x: { id: lastId(runtime) } });
  expect(await sent).toBeUndefined();

  store.showSymbol(symbol("TSLA"));
  runtime.advance(300);
  settle();
  expect(topicsOf(store)).toEqual(["chat:lobby open", "chat:KO open", "chat:TSLA open"]);
  expect(store.activeTopic).toBe("chat:KO");
});

test("unread messages are counted over all rooms until their room is seen", () => {
  const { runtime, store, settle } = connected();
  store.showSymbol(symbol("KO"));
  runtime.advance(300);
  settle();
  runtime.socket.receive(message(LOBBY, 1, "a"), message("chat:KO", 1, "b"), message("chat:KO", 2, "c"));
  expect(store.unread).toBe(3);

  store.seen();
  expect(store.unread).toBe(2);
});

test("after a restart of the server a room is empty but for what the new server has", () => {
  const { runtime, store, reconnect } = connected();
  runtime.socket.receive(message(LOBBY, 1, "a"), message(LOBBY, 2, "b"));
  reconnect("zz");
  runtime.socket.receive(message(LOBBY, 1, "c"));

  expect(store.all[0]?.room.lines).toMatchObject([{ text: "c" }]);
});

test("a room that the server does not have, and one that may only be read, are told apart", async () => {
  const { runtime, store, reconnect, settle } = connected(["chat:KO"]);
  store.showSymbol(symbol("KO"));
  runtime.advance(300);
  settle();
  const sent = store.send("hi");
  runtime.socket.receive({ T: "error", code: 431, msg: "not permitted", x: { id: lastId(runtime) } });
  expect(await sent).toEqual({ kind: "notPermitted" });
  expect(topicsOf(store)).toEqual(["chat:lobby readOnly", "chat:KO missing"]);

  // Another connection may be one of another key.
  reconnect("k3");
  expect(topicsOf(store)).toEqual(["chat:lobby open", "chat:KO missing"]);
});

test.each([
  [{ code: 430, msg: "no such topic" }, { kind: "noRoom" }],
  [{ code: 431, msg: "not permitted", why: "muted for 30 s" }, { kind: "muted", seconds: 30 }],
  [{ code: 432, msg: "message too big" }, { kind: "tooLong" }],
  [{ code: 433, msg: "too fast", retry_ms: 480 }, { kind: "tooFast", retryMs: 480 }],
  [{ code: 500, msg: "internal error" }, { kind: "unanswered" }],
  [{ code: 400, msg: "invalid syntax", why: "no tabs" }, { kind: "other", code: 400, message: "invalid syntax: no tabs" }],
])("the error %j is %j", async (error, expected) => {
  const { runtime, store } = connected();
  const sent = store.send("hi");
  runtime.socket.receive({ T: "error", ...error, x: { id: lastId(runtime) } });

  expect(await sent).toEqual(expected);
});

test("the presence of the room in view is asked for, at most every ten seconds", () => {
  const { runtime, store } = connected();
  const asked = () => runtime.socket.sent.filter((command) => (command as { action: string }).action === "presence").length;
  store.seen();
  store.seen();
  expect(asked()).toBe(1);
  runtime.socket.receive({ T: "presence", topic: LOBBY, sessions: 2, names: 1, list: ["anna"], x: { id: lastId(runtime) } });

  runtime.advance(5_000);
  store.seen();
  expect(asked()).toBe(1);
  runtime.socket.receive({ T: "h", epoch: "k3", age_ms: 1, t: "2026-11-20T14:31:00Z" });
  runtime.advance(5_000);
  store.seen();
  expect(asked()).toBe(2);
});

test("the user's own messages are known after a reload, and no others of the same name or number", async () => {
  const storage = memory();
  const before = connected([], storage);
  const sent = before.store.send("mine");
  before.runtime.socket.receive({ T: "published", topic: LOBBY, sq: 7, epoch: "k3", x: { id: lastId(before.runtime) } });
  await sent;
  before.runtime.socket.receive(message(LOBBY, 7, "mine"));
  before.runtime.socket.receive(message(LOBBY, 8, "hers"));

  const { runtime, store } = connected([], storage);
  for (const one of [message(LOBBY, 7, "mine"), message(LOBBY, 8, "hers")]) runtime.socket.receive(one);
  expect(store.all[0]?.room.lines.map((line) => line.kind === "message" && line.isOwn)).toEqual([true, false]);

  // A server that begins anew gives the same number to another message.
  const { runtime: other, store: anew } = connected([], storage);
  other.socket.receive({ ...message(LOBBY, 7, "another"), t: "2026-11-21T14:31:00Z" });
  expect(anew.all[0]?.room.lines.map((line) => line.kind === "message" && line.isOwn)).toEqual([false]);
});
