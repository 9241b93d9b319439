import { expect, test } from "vitest";
import { chinese } from "./zh";
import { english } from "./en";

/** Those that a server answers an alert or a message with and that have no sentence of their own. */
const CODES = [400, 401, 402, 405, 409, 429, 434, 435, 500];

test.each([english, chinese])("why an alert or a message was refused is told by its code, and not in the server's words", ({ tag, alerts, chat }) => {
  for (const code of CODES) {
    const sentences = [alerts.refused(code, "server words"), chat.error({ kind: "other", code, message: "server words" })];

    expect([tag, code, sentences.filter((sentence) => /server words|错误 \d/.test(sentence))]).toEqual([tag, code, []]);
    if (tag === "zh-CN") expect(sentences.join()).not.toMatch(/[a-z]/i);
  }
});

test("of a code that is not known the server's words are told in English, and the code in Chinese", () => {
  expect(english.alerts.refused(499, "no alerts at night")).toBe("not set: no alerts at night");
  expect(chinese.alerts.refused(499, "no alerts at night")).toBe("未设置：错误 499");
});
