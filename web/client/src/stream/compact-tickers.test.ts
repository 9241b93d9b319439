import { expect, test } from "vitest";
import { symbol } from "../../../fake/builders";
import { FakeRuntime } from "../../../fake/runtime";
import type { Ticker } from "../model";
import { Client, CompactTickers, type CompactOptions } from ".";

const AAPL = symbol("AAPL");
const TICKER = { T: "k", S: "AAPL", p: 10, s: 1, bp: 9.99, bs: 100, ap: 10.01, as: 200, o: 10, h: 11, l: 9, pc: 9.5, v: 1000, n: 7, vw: 10.5, t: "2026-11-20T14:30:00Z" };
const WITHOUT_AVERAGE = { ...TICKER, vw: undefined };

/** A client that subscribes to AAPL, whose server grants what is asked for. */
function opened(options: CompactOptions = {}, granted: object = { delta: true }) {
  const runtime = new FakeRuntime();
  const client = new Client(runtime, { url: "ws://test/" });
  const tickers = new CompactTickers(client, options);
  const received: Ticker[] = [];
  const problems: string[] = [];
  client.on("market", ({ events }) => received.push(...events.filter((event) => event.channel === "tickers")));
  client.on("unreadable", (sentence) => problems.push(sentence));
  client.on("gap", ({ from, to }) => problems.push(`gap ${from} ${to}`));
  client.subscribe({ tickers: [AAPL] });
  client.connect();
  const acknowledge = (x: object = granted, id = 1) => {
    runtime.socket.receive({ T: "subscription", tickers: ["AAPL"], x: { id, epoch: "k3", ...x } });
  };
  runtime.socket.greet();
  acknowledge();
  return { runtime, client, tickers, received, problems, acknowledge };
}

const reopened = ({ runtime }: ReturnType<typeof opened>) => {
  runtime.socket.remoteClose(1006);
  runtime.advance(250);
  runtime.socket.greet();
};

test("the options are sent on each connection, with the first command", () => {
  const it = opened({ fields: ["last", "bid", "previousClose", "averagePrice"] });
  const x = { fields: { tickers: ["vw", "bp", "p", "pc"] }, delta: true };
  expect(it.runtime.socket.sent).toMatchObject([{ tickers: ["AAPL"], x }]);

  reopened(it);
  expect(it.runtime.socket.sent).toMatchObject([{ tickers: ["AAPL"], x }]);
});

test("only the options that are used are sent", () => {
  expect(opened({}).runtime.socket.sent).toMatchObject([{ x: { delta: true } }]);
  expect((opened({}).runtime.socket.sent[0] as { x: object }).x).not.toHaveProperty("fields");
  expect((opened({ delta: false }).runtime.socket.sent[0] as { x: object }).x).not.toHaveProperty("delta");
});

test("listeners get whole tickers, made of the changes", () => {
  const { runtime, received, problems } = opened();

  runtime.socket.receive({ ...TICKER, sq: 5, full: true });
  runtime.socket.receive({ T: "k", S: "AAPL", p: 10.5, t: "2026-11-20T14:30:01Z", sq: 6 }, { T: "k", S: "AAPL", bp: 10.4, v: 1200, sq: 9, cf: 2 });

  runtime.socket.receive({ T: "k", S: "AAPL", sq: 10 });

  const [first, second, third, fourth] = received;
  expect(first).not.toHaveProperty("full");
  expect(second).toEqual({ ...first, seq: 6, last: 10.5, time: (first?.time ?? 0) + 1000 });
  expect(third).toEqual({ ...second, seq: 9, conflated: 2, bid: 10.4, volume: 1200 });
  expect(fourth).toEqual({ ...third, seq: 10, conflated: 0 });
  expect(problems).toEqual([]);
});

test("a value that is null is no longer known, until there is another one", () => {
  const { runtime, received } = opened();

  runtime.socket.receive({ ...TICKER, sq: 5, full: true }, { T: "k", S: "AAPL", vw: null, sq: 6 }, { T: "k", S: "AAPL", p: 10.2, sq: 7 }, { T: "k", S: "AAPL", vw: 10.6, sq: 8 });

  expect(received.map(({ averagePrice }) => averagePrice)).toEqual([10.5, undefined, undefined, 10.6]);
});

test("a whole object replaces what was known, and so does a snapshot", () => {
  const { runtime, received, problems } = opened();

  runtime.socket.receive({ ...TICKER, sq: 5, sn: true }, { T: "k", S: "AAPL", p: 10.1, sq: 6 });
  runtime.socket.receive({ T: "gap", S: "AAPL", ch: "tickers", from: 7, to: 7 });
  runtime.socket.receive({ ...WITHOUT_AVERAGE, p: 11, sq: 8, full: true });

  expect(received.map(({ last, averagePrice, origin }) => [last, averagePrice, origin])).toEqual([[10, 10.5, "snapshot"], [10.1, 10.5, "live"], [11, undefined, "live"]]);
  expect(problems).toEqual(["gap 7 7"]);
});

test("fields that are not selected are undefined, and zero is still no price", () => {
  const { runtime, received } = opened({ fields: ["last", "bid", "volume"] });

  runtime.socket.receive({ T: "k", S: "AAPL", p: 10, bp: 0, v: 0, t: TICKER.t, sq: 1, full: true });

  expect(received).toMatchObject([{ last: 10, bid: undefined, volume: 0, bidSize: undefined, ask: undefined, open: undefined }]);
});

test.each([
  ["knows neither option", { rejected: { x: ["delta", "fields"] } }],
  ["grants the fields only", { fields: { tickers: ["p"] } }],
])("a server that %s sends whole objects, which are read as before", (_, granted) => {
  const { runtime, received, problems } = opened({ fields: ["last"] }, granted);

  runtime.socket.receive({ ...TICKER, sq: 1 }, { ...WITHOUT_AVERAGE, sq: 2 });

  expect(received.map(({ averagePrice, bid }) => [averagePrice, bid])).toEqual([[10.5, 9.99], [undefined, 9.99]]);
  expect(problems).toEqual([]);
});

test("a change that does not follow what was received is dropped and told, and whole objects are asked for once", () => {
  const { runtime, received, problems, acknowledge } = opened();
  runtime.socket.receive({ ...TICKER, sq: 5, full: true });

  runtime.socket.receive({ T: "k", S: "AAPL", p: 12, sq: 7 }, { T: "k", S: "AAPL", p: 13, sq: 8 });
  expect(received.map(({ seq }) => seq)).toEqual([5]);
  expect(problems).toHaveLength(2);
  expect(runtime.socket.sent.slice(1)).toEqual([
    { action: "unsubscribe", tickers: ["AAPL"] },
    { action: "subscribe", tickers: ["AAPL"], x: { id: 2, snapshot: true, delta: false } },
  ]);

  acknowledge({ delta: true }, 1);
  runtime.socket.receive({ T: "k", S: "AAPL", p: 14, sq: 9 });
  runtime.socket.receive({ T: "subscription", tickers: [] });
  acknowledge({}, 2);
  runtime.socket.receive({ ...TICKER, p: 14, sq: 9, sn: true }, { ...TICKER, p: 15, sq: 10 });
  expect(received.map(({ last }) => last)).toEqual([10, 14, 15]);
  expect(problems).toHaveLength(3);
});

test("a new connection begins anew, and asks for changes again", () => {
  const it = opened();
  const { runtime, received, problems, acknowledge } = it;
  runtime.socket.receive({ ...TICKER, sq: 5, full: true }, { T: "k", S: "AAPL", p: 12, sq: 9 });
  expect(problems).toHaveLength(1);

  reopened(it);
  expect(runtime.socket.sent).toMatchObject([{ x: { delta: true } }]);
  acknowledge();
  runtime.socket.receive({ ...TICKER, sq: 20, full: true }, { T: "k", S: "AAPL", p: 21, sq: 21 });
  expect(received.map(({ last }) => last)).toEqual([10, 10, 21]);
});

test("a stream that was unsubscribed leaves nothing behind", () => {
  const { runtime, client, received, problems } = opened();
  runtime.socket.receive({ ...TICKER, sq: 5, full: true });
  client.unsubscribe({ tickers: [AAPL] });
  runtime.socket.receive({ T: "subscription", tickers: [] });
  client.subscribe({ tickers: [AAPL] });
  runtime.socket.receive({ T: "subscription", tickers: ["AAPL"], x: { id: 3, epoch: "k3", delta: true } });

  runtime.socket.receive({ T: "k", S: "AAPL", p: 12, sq: 6 });
  expect([received.length, problems.length]).toEqual([1, 1]);
});

test("fewer fields are one option, and more are a new subscription that begins with a snapshot", () => {
  const { runtime, tickers } = opened({ fields: ["last", "bid"] });

  tickers.setFields(["last"]);
  tickers.setFields(["last", "last"]);
  tickers.setFields(["ask", "last"]);
  tickers.setFields(undefined);

  expect(tickers.fields).toBeUndefined();
  expect(runtime.socket.sent.slice(1)).toEqual([
    { action: "subscribe", x: { id: 2, fields: { tickers: ["p"] } } },
    { action: "unsubscribe", tickers: ["AAPL"] },
    { action: "subscribe", tickers: ["AAPL"], x: { id: 3, snapshot: true, fields: { tickers: ["ap", "p"] } } },
    { action: "unsubscribe", tickers: ["AAPL"] },
    { action: "subscribe", tickers: ["AAPL"], x: { id: 4, snapshot: true, fields: null } },
  ]);
});

test("what is selected while the first command is on its way is asked for when it is acknowledged", () => {
  const runtime = new FakeRuntime();
  const client = new Client(runtime, { url: "ws://test/" });
  const tickers = new CompactTickers(client, { fields: ["last"] });
  client.connect();
  runtime.socket.greet();
  tickers.setFields(["bid"]);
  expect(runtime.socket.sent).toEqual([]);

  client.subscribe({ tickers: [AAPL] });
  tickers.setFields(["bid", "ask"]);
  expect(runtime.socket.sent).toMatchObject([{ x: { fields: { tickers: ["bp"] } } }]);
  runtime.socket.receive({ T: "subscription", tickers: ["AAPL"], x: { id: 1, epoch: "k3", delta: true } });
  expect(runtime.socket.sent.slice(1)).toMatchObject([{ action: "unsubscribe" }, { tickers: ["AAPL"], x: { snapshot: true, fields: { tickers: ["ap", "bp"] } } }]);
});

test("fields may be selected at any time, and what is no field is refused", () => {
  const { client, runtime } = opened();
  const later = new CompactTickers(client, { fields: ["last"], delta: false });
  expect(runtime.socket.sent.at(-1)).toEqual({ action: "subscribe", x: { id: 2, fields: { tickers: ["p"] } } });

  expect(() => {
    later.setFields(["price" as "last"]);
  }).toThrow(new TypeError("not a field of tickers: price"));
  expect(later.fields).toEqual(["last"]);
});
