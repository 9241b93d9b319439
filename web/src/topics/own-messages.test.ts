import { expect, test } from "vitest";
import { millis, seq } from "@tapecast/client";
import { OwnMessages } from ".";

test("messages are remembered as text, with those of another tab, the newest five hundred", () => {
  const [one, two] = [new OwnMessages(), new OwnMessages()];
  one.add("chat:lobby", seq(1), millis(10));
  for (let number = 1; number <= 500; number += 1) two.add("chat:KO", seq(number), millis(20));
  expect([two.takeChanged(), two.takeChanged()]).toEqual([true, false]);
  two.merge(one.toText());
  expect(two.has("chat:lobby", seq(1), millis(10))).toBe(false);

  one.merge(two.toText());
  expect([one.has("chat:KO", seq(500), millis(20)), one.has("chat:KO", seq(500), millis(21))]).toEqual([true, false]);
});

test.each([null, "", "{", "7", "[7,null]"])("stored %j is no message", (text) => {
  const own = new OwnMessages();
  own.merge(text);
  expect(own.toText()).toBe("[]");
});
