import { expect, test } from "vitest";
import { objectFixtures } from "../../../fake/object-fixtures";
import { OBJECT_CHANNELS } from "../model";
import { readAlertControl, readFrame, readTopicControl } from ".";

const READERS = [readTopicControl, readAlertControl];

const TRADE = '{"T":"t","S":"AAPL","i":7,"x":"V","p":187.25,"s":100,"c":["@"],"z":"C","t":"2026-11-20T14:30:00.123456789Z","sq":8,"cf":2}';
const QUOTE = '{"T":"q","S":"AAPL","bx":"V","bp":187.2,"bs":300,"ax":"V","ap":187.3,"as":200,"c":["R"],"z":"C","t":"2026-11-20T14:30:00Z"}';
const BAR = '{"T":"d","S":"BRK.B","o":1,"h":4,"l":0.5,"c":2,"v":1000,"n":9,"vw":1.5,"t":"2026-11-20T05:00:00Z","sq":1}';

test.each(objectFixtures())("an object of the channel $channel is read: $json", ({ channel, json }) => {
  const { events, unknown, errors } = readFrame(`[${json}]`);
  const isRead = OBJECT_CHANNELS.some((known) => known === channel);

  expect(errors).toEqual([]);
  expect(events.map((event) => event.channel)).toEqual(isRead ? [channel] : []);
  expect(unknown).toBe(isRead ? 0 : 1);
});

test("every channel has a fixture", () => {
  expect(objectFixtures().map(({ channel }) => channel)).toEqual(expect.arrayContaining([...OBJECT_CHANNELS]));
});

test("a trade has its sequence number and its count of conflated objects", () => {
  const { events, errors } = readFrame(`[${TRADE}]`);

  expect(errors).toEqual([]);
  expect(events).toMatchObject([
    { channel: "trades", symbol: "AAPL", price: 187.25, size: 100, seq: 8, conflated: 2 },
  ]);
});

test("a time keeps its microseconds", () => {
  const time = readFrame(`[${TRADE}]`).events[0]?.time ?? 0;

  expect(time - Date.UTC(2026, 10, 20, 14, 30)).toBeCloseTo(123.4567, 3);
});

test("a quote without a sequence number is accepted", () => {
  const { events } = readFrame(`[${QUOTE}]`);

  expect(events).toMatchObject([{ channel: "quotes", bid: 187.2, bidSize: 300, ask: 187.3, askSize: 200, conflated: 0 }]);
  expect(events[0]?.seq).toBeUndefined();
});

test.each([
  ["b", "bars"],
  ["u", "updatedBars"],
  ["d", "dailyBars"],
])("a bar `%s` belongs to the channel %s", (kind, channel) => {
  const { events } = readFrame(`[${BAR.replace('"d"', `"${kind}"`)}]`);

  expect(events).toMatchObject([{ channel, symbol: "BRK.B", open: 1, high: 4, low: 0.5, close: 2, volume: 1000 }]);
});

test("objects of one frame keep their order", () => {
  const { events } = readFrame(`[${QUOTE},${TRADE},${BAR}]`);

  expect(events.map(({ channel }) => channel)).toEqual(["quotes", "trades", "dailyBars"]);
});

test("the greeting, the acknowledgement and an error are control messages", () => {
  expect(readFrame('[{"T":"success","msg":"connected"}]').controls).toEqual([{ control: "connected" }]);
  expect(readFrame('[{"T":"error","code":405,"msg":"symbol limit exceeded"}]').controls).toEqual([
    { control: "error", code: 405, message: "symbol limit exceeded", why: undefined, id: undefined, retryMs: undefined },
  ]);
  expect(readFrame('[{"T":"subscription","trades":["AAPL"],"bars":["*"]}]').controls).toEqual([
    {
      control: "subscription",
      channels: { trades: ["AAPL"], quotes: [], bars: ["*"], updatedBars: [], dailyBars: [], statuses: [], tickers: [], cancelErrors: [], corrections: [] },
      topics: [],
      acknowledgement: undefined,
    },
  ]);
});

test("the answers to commands about topics have the command's id", () => {
  expect(
    readFrame(
      `[{"T":"published","topic":"chat:AAPL","sq":42,"epoch":"k3","x":{"id":9}},
        {"T":"presence","topic":"chat:AAPL","sessions":812,"names":2,"list":["anna","ben"],"x":{"id":10}},
        {"T":"error","code":433,"msg":"too fast","retry_ms":500,"x":{"id":11}}]`, READERS,
    ).controls,
  ).toEqual([
    { control: "published", id: 9, published: { topic: "chat:AAPL", seq: 42, epoch: "k3" } },
    { control: "presence", id: 10, presence: { topic: "chat:AAPL", sessions: 812, names: 2, list: ["anna", "ben"] } },
    { control: "error", code: 433, message: "too fast", why: undefined, id: 11, retryMs: 500 },
  ]);
});

test("a message has data or takes another one back", () => {
  const [sent, taken, gap] = readFrame(
    `[{"T":"m","S":"chat:AAPL","d":{"text":"hi"},"by":"anna","sq":42,"t":"2026-11-20T14:30:00Z"},
      {"T":"m","S":"chat:AAPL","del":40,"sq":43,"t":"2026-11-20T14:30:01Z","sn":true},
      {"T":"gap","S":"chat:AAPL","ch":"topics","from":1,"to":39}]`, READERS,
  ).controls;

  expect(sent).toMatchObject({ message: { topic: "chat:AAPL", data: { text: "hi" }, by: "anna", seq: 42, conflated: 0, origin: "live", takesBack: undefined } });
  expect(taken).toMatchObject({ message: { data: undefined, by: undefined, takesBack: 40, origin: "snapshot" } });
  expect(gap).toEqual({ control: "topicGap", topic: "chat:AAPL", from: 1, to: 39 });
  expect(readFrame('[{"T":"m","S":"a","sq":1,"t":"2026-11-20T14:30:00Z"}]', READERS).errors).toHaveLength(1);
});

test("the alerts of a session and one that fired are read", () => {
  const { controls, errors } = readFrame(
    `[{"T":"alerts","list":[{"S":"AAPL","id":"a1","when":"p>=190","once":true,"now":true,"sq":7},{"S":"KO","id":"b","when":"chg<=-5%","once":false}],"epoch":"k3","x":{"id":3}},
      {"T":"a","S":"AAPL","id":"a1","when":"p>=190","p":190.02,"sq":8842,"cf":2,"t":"2026-11-20T14:30:00Z"}]`, READERS,
  );

  expect(errors).toEqual([]);
  expect(controls).toEqual([
    {
      ...{ control: "alerts", id: 3, epoch: "k3" },
      list: [{ id: "a1", symbol: "AAPL", isBeyond: true, seq: 7 }, { id: "b", symbol: "KO", isBeyond: false, seq: undefined }],
    },
    { control: "fired", fire: { id: "a1", symbol: "AAPL", price: 190.02, seq: 8842, merged: 2, time: Date.UTC(2026, 10, 20, 14, 30) } },
  ]);
});

test("an object of an unknown kind is counted and is not an error", () => {
  expect(readFrame(`[{"T":"n","headline":"x"},${TRADE}]`)).toMatchObject({ unknown: 1, errors: [], events: [{ symbol: "AAPL" }] });
});

test("a malformed object does not affect the other objects of its frame", () => {
  const { events, errors } = readFrame(`[{"T":"t","S":"AAPL"},${TRADE}]`);

  expect(errors).toHaveLength(1);
  expect(events).toHaveLength(1);
});

test.each([
  ["a price in quotes", TRADE.replace("187.25", '"187.25"')],
  ["a size with a fraction", TRADE.replace('"s":100', '"s":1.5')],
  ["a negative number", TRADE.replace('"sq":8', '"sq":-1')],
  ["a symbol with a space", TRADE.replace("AAPL", "AA PL")],
  ["a day that does not exist", TRADE.replace("2026-11-20T14", "2026-13-45T14")],
  ["a time without its zone", TRADE.replace("789Z", "789")],
  ["no kind", "{}"],
  ["a number instead of an object", "7"],
  ["null", "null"],
])("%s is an error", (_, object) => {
  expect(readFrame(`[${object}]`)).toMatchObject({ events: [], controls: [], unknown: 0, errors: [expect.any(String)] });
});

test.each([["not JSON"], ["{}"], ["null"], [new ArrayBuffer(4)]])("a frame %s is an error and does not throw", (data) => {
  expect(readFrame(data).errors).toHaveLength(1);
});

test("a ticker has everything that a watchlist row shows", () => {
  const ticker =
    '{"T":"k","S":"AAPL","p":187.5,"s":40,"bp":187.49,"bs":300,"ap":187.51,"as":200,"o":186,"h":188,"l":185.5,"pc":186.2,"v":1000,"n":20,"vw":186.9,"sq":9,"cf":3,"t":"2026-11-20T14:30:00Z","sn":true}';

  expect(readFrame(`[${ticker}]`).events).toMatchObject([
    {
      ...{ channel: "tickers", symbol: "AAPL", last: 187.5, bid: 187.49, bidSize: 300, ask: 187.51, askSize: 200 },
      ...{ open: 186, high: 188, low: 185.5, previousClose: 186.2, volume: 1000, averagePrice: 186.9, seq: 9, conflated: 3, origin: "snapshot" },
    },
  ]);
});

test("a price of zero is none: a side without an order, a previous close that the server does not know", () => {
  const ticker =
    '{"T":"k","S":"ESU4","p":5528.75,"s":1,"bp":0.00,"bs":0,"ap":5529.00,"as":2,"o":5528,"h":5529,"l":5528,"pc":0.00,"v":1,"n":1,"vw":5528,"sq":9,"t":"2026-11-20T14:30:00Z"}';
  const quote = '{"T":"q","S":"ESU4","bx":" ","bp":0.00,"bs":0,"ax":"V","ap":5529.00,"as":2,"c":[],"z":" ","sq":1,"t":"2026-11-20T14:30:00Z"}';

  expect(readFrame(`[${ticker},${quote}]`).events).toMatchObject([
    { last: 5528.75, bid: undefined, ask: 5529, previousClose: undefined },
    { bid: undefined, ask: 5529 },
  ]);
});

test.each([
  ["H", "halted"],
  ["P", "halted"],
  ["2", "halted"],
  ["T", "open"],
])("a status `%s` means that trading is %s", (code, trading) => {
  const status = `{"T":"s","S":"AAPL","sc":"${code}","sm":"","rc":"T1","rm":"News Pending","z":"C","t":"2026-11-20T14:30:00Z"}`;

  expect(readFrame(`[${status}]`).events).toMatchObject([{ channel: "statuses", trading, reason: "News Pending" }]);
});

test("only names in channels are rejected symbols", () => {
  const x = '{"epoch":"k3f9","rejected":{"quotes":["ZZZZ"],"channels":["news"],"x":["speed"]}}';

  expect(readFrame(`[{"T":"subscription","x":${x}}]`).controls).toMatchObject([{ acknowledgement: { rejected: ["ZZZZ"] } }]);
});

test.each([
  ['["@"]', "@", false],
  ['["Z","I"]', "ZI", true],
  ['[" ","T"]', "T", false],
  ["[]", "", false],
])("a trade with the conditions %s has `%s` and is reported late: %s", (letters, conditions, isLate) => {
  expect(readFrame(`[${TRADE.replace('["@"]', letters)}]`).events).toMatchObject([{ conditions, isLate }]);
});

test("a trade names its venue and its tape; a space stands for none", () => {
  expect(readFrame(`[${TRADE}]`).events).toMatchObject([{ venue: "V", tape: "C" }]);
  expect(readFrame(`[${TRADE.replace('"z":"C"', '"z":" "')}]`).events).toMatchObject([{ tape: "" }]);
});

test("a cancel and a correction name the trade as it was reported", () => {
  const cancel = '{"T":"x","S":"AAPL","i":7,"x":"V","p":187.25,"s":100,"a":"E","z":"C","t":"2026-11-20T14:30:00Z","sq":1}';
  const correction = '{"T":"c","S":"AAPL","x":"V","oi":7,"op":187.25,"os":100,"oc":["@"],"ci":9,"cp":187.2,"cs":90,"cc":["@"],"z":"C","t":"2026-11-20T14:30:00Z","sq":1}';

  expect(readFrame(`[${cancel},${correction}]`).events).toMatchObject([
    { channel: "cancelErrors", id: 7 },
    { channel: "corrections", id: 7, price: 187.2, size: 90 },
  ]);
});

test("a feed notice is a control message, with the times that it has", () => {
  const at = Date.parse("2026-11-20T14:30:00Z");
  expect(
    readFrame('[{"T":"feed","state":"back","source":"iex","from":"2026-11-20T14:30:00Z","to":"2026-11-20T14:30:01Z","filled":false}]').controls,
  ).toEqual([{ control: "feed", notice: { state: "back", source: "iex", from: at, to: at + 1000, filled: false } }]);
  expect(readFrame('[{"T":"feed","state":"later","source":"iex"}]').controls).toEqual([
    { control: "feed", notice: { state: "later", source: "iex", from: undefined, to: undefined, filled: undefined } },
  ]);
});

test("an acknowledgement with extensions, a gap, a heartbeat and a drain are control messages", () => {
  const extensions = '"x":{"id":7,"epoch":"k3f9","conflate_ms":250,"heartbeat_ms":5000,"rejected":{"quotes":["ZZZZ"],"trades":["ZZZZ"],"x":["later"]}}';

  expect(readFrame(`[{"T":"subscription","trades":[],${extensions}}]`).controls).toMatchObject([
    { control: "subscription", acknowledgement: { id: 7, epoch: "k3f9", conflateMs: 250, heartbeatMs: 5000, rejected: ["ZZZZ"] } },
  ]);
  expect(readFrame('[{"T":"gap","S":"AAPL","ch":"trades","from":8842,"to":8900}]').controls).toEqual([
    { control: "gap", missing: { channel: "trades", symbol: "AAPL", from: 8842, to: 8900 } },
  ]);
  expect(readFrame('[{"T":"h","epoch":"k3f9","age_ms":40,"t":"2026-11-20T14:30:00Z"}]').controls).toMatchObject([
    { control: "heartbeat", epoch: "k3f9", ageMs: 40 },
  ]);
  expect(readFrame('[{"T":"drain","reconnect_ms":4180}]').controls).toEqual([{ control: "drain", reconnectMs: 4180 }]);
});
