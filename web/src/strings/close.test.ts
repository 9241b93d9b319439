import { expect, test } from "vitest";
import { closeOf, CLOSES } from "@tapecast/client";
import { TEXTS } from ".";

test("every close has a reason in every language", () => {
  const reasons = (language: "en" | "zh") => CLOSES.map((close) => TEXTS[language].connection({ phase: "ended", close }, "").split(" · ")[0]);

  expect(reasons("en")).not.toContain("");
  expect(reasons("en").filter((reason) => reason?.startsWith("closed with code"))).toEqual([]);
  expect(reasons("zh").filter((reason) => /代码 \d/.test(reason ?? ""))).toEqual([]);
});

test("an unknown close names its code", () => {
  const ended = { phase: "ended", close: closeOf(4711) } as const;

  expect(TEXTS.en.connection(ended, "")).toBe("closed with code 4711 · not retrying");
  expect(TEXTS.zh.connection(ended, "")).toBe("已关闭，代码 4711 · 不再重试");
});
