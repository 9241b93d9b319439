import { expect, test } from "vitest";
import { millis } from "@tapecast/client";
import { Answers, errorOf } from "./answers";
import { LoggedFrame } from "./frame";

let number = 0;
const message = (direction: "in" | "out", at: number, data: unknown) => {
  number += 1;
  return new LoggedFrame(number, { target: "live", direction, at: millis(at), data: typeof data === "string" ? data : JSON.stringify(data) });
};
const ack = (at: number, id?: number | string) => message("in", at, [{ T: "subscription", ...(id === undefined ? {} : { x: { id } }) }]);

test("an answer is found by its id among those of the page", () => {
  const answers = new Answers("stream");
  answers.sent(message("out", 0, { action: "subscribe", x: { id: 4 } }), undefined);
  answers.sent(message("out", 10, { action: "subscribe", x: { id: "wire-1" } }), 1);
  answers.sent(message("out", 11, { action: "subscribe", x: { id: 5 } }), undefined);

  expect(answers.received(ack(12, 4))).toBeUndefined();
  expect(answers.received(message("in", 12, [{ T: "k", S: "AAPL" }, { T: "t", S: "KO" }]))).toBeUndefined();
  expect(answers.received(ack(13, "wire-1"))).toEqual({ command: 1, roundTripMs: 3 });
  expect(answers.received(ack(14, 5))).toBeUndefined();
});

test("the id 1 and the id \"1\" are different", () => {
  const answers = new Answers("stream");
  answers.sent(message("out", 0, { action: "subscribe", x: { id: "1" } }), 1);
  expect(answers.received(ack(1, 1))).toBeUndefined();
  expect(answers.received(ack(2, "1"))).toEqual({ command: 1, roundTripMs: 2 });
});

test("an answer without an id is that to the oldest command, as of a malformed one", () => {
  const answers = new Answers("stream");
  answers.sent(message("out", 0, { action: "unsubscribe", trades: ["KO"] }), undefined);
  answers.sent(message("out", 5, '{"action":'), 7);

  expect(answers.received(ack(6))).toBeUndefined();
  expect(answers.received(message("in", 8, [{ T: "error", code: 400, msg: "invalid syntax" }]))).toEqual({ command: 7, roundTripMs: 3 });
});

test("greetings, data and errors that no command caused answer nothing", () => {
  const answers = new Answers("stream");
  answers.sent(message("out", 0, { action: "auth" }), 1);
  for (const object of [{ T: "success", msg: "connected" }, { T: "error", code: 407, msg: "slow client" }, { T: "h" }, { T: "m", S: "chat:lobby" }, { T: "gap" }]) {
    expect(answers.received(message("in", 1, [object]))).toBeUndefined();
  }
  expect(answers.received(message("in", 2, [{ T: "success", msg: "authenticated" }]))).toEqual({ command: 1, roundTripMs: 2 });
});

test("what was sent before the log began to listen has an answer that is nobody's", () => {
  const answers = new Answers("stream");
  expect(answers.received(ack(1, 3))).toBeUndefined();
  answers.sent(message("out", 2, { action: "subscribe", x: { id: "a" } }), 1);
  expect(answers.received(ack(3, 4))).toBeUndefined();
  expect(answers.received(ack(4, "a"))).toEqual({ command: 1, roundTripMs: 2 });
});

test("/echo answers everything, in order", () => {
  const answers = new Answers("echo");
  answers.sent(message("out", 0, "hello"), 1);
  answers.sent(message("out", 1, { T: "error" }), 2);
  expect(answers.received(message("in", 3, "hello"))).toEqual({ command: 1, roundTripMs: 3 });
  expect(answers.received(message("in", 4, { T: "error" }))).toEqual({ command: 2, roundTripMs: 3 });
  expect(answers.received(message("in", 5, "more"))).toBeUndefined();
});

test("the end of a connection tells which commands have no answer", () => {
  const answers = new Answers("stream");
  answers.sent(message("out", 0, { x: { id: 1 } }), undefined);
  answers.sent(message("out", 0, { x: { id: "a" } }), 3);
  expect(answers.end()).toEqual([3]);
  expect(answers.end()).toEqual([]);
});

test("an error has its code and its explanation", () => {
  expect(errorOf(message("in", 0, [{ T: "error", code: 400, msg: "invalid syntax", why: "not JSON" }]).tree)).toEqual({ code: "400", message: "invalid syntax: not JSON" });
  expect(errorOf(ack(0).tree)).toBeUndefined();
});
