import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { FakeRuntime } from "../../../fake/runtime";
import { FullClient, RequestError, type TopicEvents } from ".";

const ROOM = "chat:AAPL";
const ack = (id: number, topics: readonly string[] = [], epoch = "k3") => ({ T: "subscription", topics, x: { id, epoch } });
const message = (sq: number, more: object = {}) => ({ T: "m", S: ROOM, d: { text: `text ${sq}` }, by: "anna", t: "2026-11-20T14:31:00Z", sq, ...more });

/** A connected client that subscribes to a room, and what it is told. */
function connected(history: "latest" | "all" = "latest") {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  const told = { numbers: [] as (number | string)[], gaps: [] as TopicEvents["gap"][], statuses: [] as string[], restarts: [] as string[] };
  client.topics.on("message", ({ seq, origin }) => told.numbers.push(origin === "live" ? seq : `${seq} ${origin}`));
  client.topics.on("gap", (gap) => told.gaps.push(gap));
  client.topics.on("status", ({ status }) => told.statuses.push(status));
  client.topics.on("restart", ({ topic }) => told.restarts.push(topic));
  client.topics.subscribe([ROOM], { history });
  client.connect();
  runtime.socket.greet();
  return { runtime, client, told };
}

/** The connection breaks; the next one is acknowledged in this epoch. */
function reconnect(runtime: FakeRuntime, epoch: string): void {
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();
  runtime.socket.receive(ack(Number(commands(runtime)[0]?.x.id), [], epoch));
}

const commands = (runtime: FakeRuntime) => runtime.socket.sent as { action: string; x: { id: number } }[];

test("topics are subscribed to once the epoch is known, in a command of their own", () => {
  const { runtime, told } = connected();
  expect(commands(runtime)).toMatchObject([{ action: "subscribe", x: { id: 1, heartbeat_ms: 2000 } }]);

  runtime.socket.receive(ack(1));
  expect(commands(runtime)[1]).toEqual({ action: "subscribe", topics: [ROOM], x: { id: 2, snapshot: true } });
  runtime.socket.receive(ack(2, [ROOM]));
  expect(told.statuses).toEqual(["subscribed"]);
});

test("the command of the market's streams is the only other one", () => {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  client.subscribe({ trades: [symbol("AAPL")] });
  client.topics.subscribe([ROOM]);
  client.connect();
  runtime.socket.greet();
  runtime.socket.receive(ack(1));

  expect(commands(runtime)).toMatchObject([{ trades: ["AAPL"] }, { topics: [ROOM] }]);
});

test("a live client without streams asks for its first topic at once", () => {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  client.connect();
  runtime.socket.greet();
  expect(commands(runtime)).toEqual([]);

  client.topics.subscribe([ROOM]);
  client.topics.subscribe([ROOM, "chat:lobby"]);
  runtime.socket.receive(ack(1));

  expect(commands(runtime)).toMatchObject([{ action: "subscribe" }, { topics: [ROOM, "chat:lobby"] }]);
});

test("a topic with all of its history resumes after number 0, and the missing beginning is no gap", () => {
  const { runtime, told } = connected("all");
  runtime.socket.receive(ack(1));
  expect(commands(runtime)[1]).toMatchObject({ x: { resume: { epoch: "k3", sq: { topics: { [ROOM]: 0 } } } } });

  runtime.socket.receive(ack(2, [ROOM]));
  runtime.socket.receive({ T: "gap", S: ROOM, ch: "topics", from: 1, to: 6 });
  runtime.socket.receive(message(7, { t: "2026-11-20T14:29:00Z" }), message(8));

  expect(told.numbers).toEqual(["7 replay", 8]);
  expect(told.gaps).toEqual([]);
});

test("after a lost connection a topic resumes after its last message, and what is gone is told", () => {
  const { runtime, told } = connected();
  runtime.socket.receive(ack(1), ack(2, [ROOM]));
  runtime.socket.receive(message(5, { sn: true }));
  runtime.socket.receive(message(6));

  reconnect(runtime, "k3");
  expect(commands(runtime)[1]).toMatchObject({ topics: [ROOM], x: { resume: { epoch: "k3", sq: { topics: { [ROOM]: 6 } } } } });
  runtime.socket.receive(ack(Number(commands(runtime)[1]?.x.id), [ROOM]));
  runtime.socket.receive({ T: "gap", S: ROOM, ch: "topics", from: 7, to: 9 });
  runtime.socket.receive(message(6), message(10), message(12));

  expect(told.numbers).toEqual(["5 snapshot", 6, 10, 12]);
  expect(told.gaps).toEqual([
    { topic: ROOM, from: 7, to: 9, detectedBy: "server" },
    { topic: ROOM, from: 11, to: 11, detectedBy: "client" },
  ]);
  expect(told.statuses).toEqual(["subscribed", "pending", "subscribed"]);
});

test("merged messages of a state are accounted for", () => {
  const { runtime, told } = connected();
  runtime.socket.receive(ack(1), ack(2, [ROOM]));
  runtime.socket.receive(message(5), message(9, { cf: 3 }));

  expect(told.numbers).toEqual([5, 9]);
  expect(told.gaps).toEqual([]);
});

test("in a new epoch the numbers begin anew, with all of the history that the new server has", () => {
  const { runtime, told } = connected("all");
  runtime.socket.receive(ack(1), ack(2, [ROOM]));
  runtime.socket.receive(message(5));

  reconnect(runtime, "zz");
  expect(commands(runtime)[1]).toMatchObject({ x: { resume: { epoch: "zz", sq: { topics: { [ROOM]: 0 } } } } });
  runtime.socket.receive(ack(Number(commands(runtime)[1]?.x.id), [ROOM], "zz"));
  runtime.socket.receive(message(1));

  expect(told.numbers).toEqual([5, 1]);
  expect([told.restarts, told.gaps]).toEqual([[ROOM], []]);
});

test("a topic that the server does not have is rejected", () => {
  const { runtime, client, told } = connected();
  client.topics.subscribe(["chat:lobby"]);
  runtime.socket.receive(ack(1), ack(2, ["chat:lobby"]));

  expect([client.topics.statusOf(ROOM), client.topics.statusOf("chat:lobby"), client.topics.statusOf("chat:KO")]).toEqual(["rejected", "subscribed", undefined]);
  expect(told.statuses).toEqual(["rejected", "subscribed"]);
});

test("a message that was in transit when its topic was unsubscribed is dropped, also if it is subscribed again", () => {
  const { runtime, client, told } = connected("all");
  runtime.socket.receive(ack(1), ack(2, [ROOM]));
  client.topics.unsubscribe([ROOM]);
  expect(commands(runtime)[2]).toEqual({ action: "unsubscribe", topics: [ROOM] });
  client.topics.subscribe([ROOM], { history: "all" });

  runtime.socket.receive(message(9));
  runtime.socket.receive(ack(3, [ROOM]));
  runtime.socket.receive(message(8), message(9));

  expect(told.numbers).toEqual([8, 9]);
});

test("a message is published with the answer of its own", async () => {
  const { runtime, client } = connected();
  runtime.socket.receive(ack(1), ack(2, [ROOM]));
  const [first, second] = [client.topics.publish(ROOM, { text: "one" }), client.topics.publish(ROOM, { text: "two" })];
  expect(commands(runtime)[2]).toEqual({ action: "publish", topic: ROOM, data: { text: "one" }, x: { id: 3 } });

  runtime.socket.receive({ T: "published", topic: ROOM, sq: 42, epoch: "k3", x: { id: 4 } });
  runtime.socket.receive({ T: "published", topic: ROOM, sq: 41, epoch: "k3", x: { id: 3 } });

  await expect(first).resolves.toEqual({ topic: ROOM, seq: 41, epoch: "k3" });
  await expect(second).resolves.toMatchObject({ seq: 42 });
  expect(runtime.timersPending).toBe(1);
});

test("a refused message rejects with code, text and the time after which it may succeed, and is no error of the session", async () => {
  const { runtime, client } = connected();
  const errors: unknown[] = [];
  client.on("serverError", (error) => errors.push(error));
  runtime.socket.receive(ack(1));
  const [refused, asked] = [client.topics.publish(ROOM, "x"), client.topics.presence(ROOM)];
  runtime.socket.receive({ T: "error", code: 433, msg: "too fast", retry_ms: 480, x: { id: 3 } });
  runtime.socket.receive({ T: "error", code: 431, msg: "not permitted", x: { id: 4 } });
  runtime.socket.receive({ T: "error", code: 432, msg: "message too big", x: { id: 99 } });

  await expect(refused).rejects.toEqual(new RequestError(433, "too fast", 480));
  await expect(asked).rejects.toMatchObject({ code: 431, message: "not permitted", retryMs: undefined });
  expect(errors).toEqual([{ code: 432, message: "message too big", why: undefined }]);
});

test("presence tells sessions and names", async () => {
  const { runtime, client } = connected();
  const presence = client.topics.presence(ROOM);
  runtime.socket.receive({ T: "presence", topic: ROOM, sessions: 3, names: 2, list: ["anna", "ben"], x: { id: 2 } });

  await expect(presence).resolves.toEqual({ topic: ROOM, sessions: 3, names: 2, list: ["anna", "ben"] });
});

test("without an answer a command fails: at once if disconnected, when the connection ends, or after a while", async () => {
  const { runtime, client } = connected();
  const late = client.topics.publish(ROOM, 1);
  const isLate = expect(late).rejects.toMatchObject({ code: "timeout" });
  runtime.advance(5_000);
  runtime.socket.receive({ T: "h", epoch: "k3", age_ms: 0, t: "2026-11-20T14:31:00Z" });
  runtime.advance(5_000);
  await isLate;

  const cut = client.topics.publish(ROOM, 2);
  const isCut = expect(cut).rejects.toMatchObject({ code: "disconnected" });
  runtime.socket.remoteClose(1006);
  await isCut;
  await expect(client.topics.presence(ROOM)).rejects.toMatchObject({ code: "disconnected" });
});
