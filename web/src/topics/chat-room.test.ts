import { expect, test } from "vitest";
import { START, symbol } from "../../fake/builders";
import { millis, seq, type Message } from "@tapecast/client";
import { ChatRoom, LOBBY, nameOfRoom, roomOf } from ".";

function message(number: number, afterMs: number, more: Partial<Message> = {}): Message {
  return {
    ...{ topic: LOBBY, seq: seq(number), conflated: 0, origin: "live", time: millis(START + afterMs), by: "anna" },
    ...{ data: { text: `text ${number}` }, takesBack: undefined, ...more },
  };
}

const room = () => new ChatRoom(LOBBY, millis(START));
const textsOf = (of: ChatRoom) => of.lines.map((line) => (line.kind === "message" ? `${line.isOwn ? "me" : line.by}: ${line.text}` : line.kind));

test("a symbol has a room, unless the topic's name would be too long", () => {
  expect([roomOf(symbol("AAPL")), roomOf(symbol("X".repeat(20)))]).toEqual(["chat:AAPL", undefined]);
  expect(nameOfRoom("chat:AAPL")).toBe("AAPL");
});

test("messages of before the page followed the room are not unread, those of a lost connection are", () => {
  const it = room();
  it.apply(message(1, -5_000, { origin: "replay" }));
  expect(it.unread).toBe(0);

  it.apply(message(2, 5_000, { origin: "replay" }));
  it.apply(message(3, 6_000));
  expect(it.unread).toBe(2);
  it.markRead();
  expect(it.unread).toBe(0);
});

test("a message that is taken back vanishes with a note, and is no longer unread", () => {
  const it = room();
  it.apply(message(1, 1));
  it.apply(message(2, 2, { data: "secret" }));
  it.apply(message(3, 3, { takesBack: seq(2), data: undefined, by: undefined }));

  expect(textsOf(it)).toEqual(["anna: text 1", "takenBack"]);
  expect(JSON.stringify(it.lines)).not.toContain("secret");
  expect(it.unread).toBe(1);
});

test("a message of the history that was taken back is a note in its own place", () => {
  const it = room();
  it.apply(message(2, 2, { takesBack: seq(2), data: undefined }));
  it.apply(message(3, 3));
  it.apply(message(4, 4, { takesBack: seq(2), data: undefined }));

  expect(textsOf(it)).toEqual(["takenBack", "anna: text 3"]);
});

test("a message is the page's own whether the confirmation comes before or after it", () => {
  const it = room();
  it.markOwn(seq(1));
  it.apply(message(1, 1));
  it.apply(message(2, 2));
  it.markOwn(seq(2));
  it.apply(message(3, 3));

  expect(textsOf(it)).toEqual(["me: text 1", "me: text 2", "anna: text 3"]);
  expect(it.unread).toBe(1);
});

test.each([
  [{ text: "hi" }, "hi"],
  ["hi", "hi"],
  [{ text: 7 }, '{"text":7}'],
  [[1, 2], "[1,2]"],
  ["x".repeat(6_000), "x".repeat(5_000)],
])("data %j is shown as text", (data, shown) => {
  const it = room();
  it.apply(message(1, 1, { data }));

  expect(textsOf(it)).toEqual([`anna: ${shown}`]);
});

test("missing messages have a line, and a room that began anew is empty", () => {
  const it = room();
  it.apply(message(1, 1));
  it.addGap(7);
  it.apply(message(9, 2));
  expect(textsOf(it)).toEqual(["anna: text 1", "gap", "anna: text 9"]);

  it.clear();
  expect([it.lines, it.unread]).toEqual([[], 0]);
});

test("a room keeps its latest messages", () => {
  const it = room();
  for (let number = 1; number <= 250; number += 1) it.apply(message(number, number));

  expect(it.lines).toHaveLength(200);
  expect(textsOf(it).at(-1)).toBe("anna: text 250");
});
