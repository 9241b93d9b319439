import { expect, test } from "vitest";
import { millis } from "@tapecast/client";
import { LoggedFrame } from "./frame";
import { maskText } from "./mask";
import { writeMessagePack } from "./message-pack";

const SECRET = "hunter2";

test.each([
  `{"action":"auth","key":"desk","secret":"${SECRET}"}`,
  `{"secret":"${SECRET}"`,
  `{"\\u0073ecret":"${SECRET}"}`,
  `{"action":"auth","SECRET" : "${SECRET}`,
  `{action:auth, secret: ${SECRET}}`,
  `{'secret':'${SECRET}'}`,
  `[{"T":"error","msg":"invalid","why":"cannot read {\\"secret\\":\\"${SECRET}\\"}"}]`,
  `{"APCA-API-SECRET-KEY":"${SECRET}"}`,
  `{"x":{"secret":["${SECRET}",{"a":"${SECRET}"}]}}`,
  `wss://host/v2/iex?key=desk&secret=${SECRET}&codec=msgpack`,
])("no secret stays: %s", (text) => {
  const masked = maskText(text);
  expect(masked).not.toContain(SECRET);
  expect(masked).toContain("•••");
});

test("everything else stays as it was sent", () => {
  for (const text of ['{"action":"auth","key":"desk"}', '[{"T":"t","p":190.10}]', "hello", '{"d":{"text":"\\u0041"}}']) expect(maskText(text)).toBe(text);
  expect(maskText(`{"action":"auth","key":"desk","secret":"${SECRET}"}`)).toBe('{"action":"auth","key":"desk","secret":"•••"}');
});

test("a logged message has its size on the wire, but neither a text's nor a binary message's secret", () => {
  const text = `{"action":"auth","key":"desk","secret":"${SECRET}"}`;
  const bytes = writeMessagePack(JSON.parse(text));
  for (const [data, size] of [[text, text.length], [bytes, bytes.length]] as const) {
    const frame = new LoggedFrame(1, { target: "live", direction: "out", at: millis(0), data });
    expect([frame.bytes, frame.facts.kinds.get("auth")]).toEqual([size, 1]);
    expect(JSON.stringify([frame, frame.text, frame.tree, frame.facts])).not.toContain(SECRET);
    expect(frame.text).toContain("desk");
  }
});
