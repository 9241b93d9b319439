import { expect, test } from "vitest";
import { ADMIN_TEXTS } from ".";

const { en, zh } = ADMIN_TEXTS;

test("why a session is slow is one sentence, the cause first", () => {
  expect(en.reason([{ kind: "stalled", forMs: 12_400 }, { kind: "backlog", bytes: 3_412_000 }, { kind: "gaps", gaps: 1, missed: 1_240 }, { kind: "conflated", objects: 20_412 }])).toBe(
    "Its socket has taken nothing for 12 s, 3.4 MB wait to be sent, 1,240 objects missed in 1 gap, 20.41K conflated",
  );
  expect(zh.reason([{ kind: "backlog", bytes: 3_412_000 }, { kind: "gaps", gaps: 3, missed: 1 }])).toBe("3.4 MB 待发送，3 处缺口中缺失 1 个对象");
  expect([en, zh].map(({ reason }) => reason([]))).toEqual(["keeps up", "跟得上"]);
});

test("the note of the sessions says what is not shown", () => {
  expect(en.listed(12, 12, 12)).toBe("12 open");
  expect(en.listed(100, 1_340, 1_340)).toBe("1,340 open, 100 shown");
  expect(en.listed(3, 3, 1_340)).toBe("3 of 1,340 match");
  expect(zh.listed(100, 240, 1_340)).toBe("1,340 个中匹配 240 个，显示 100 个");
});

test("a key's limits are told with their units, or not at all", () => {
  expect(en.limits("5,000", undefined)).toBe("at most 5,000 sessions");
  expect(en.limits(undefined, undefined)).toBe("");
  expect(en.scope(["iex"], undefined)).toBe("iex · all symbols");
});

test("a refusal of the server is told in its words, as a sentence", () => {
  expect(en.failed(400, "no such level")).toBe("No such level");
  expect(en.failed(500, "")).toBe("The server answered 500.");
});
