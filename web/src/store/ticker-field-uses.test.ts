import type { TickerField } from "@tapecast/client";
import { expect, test } from "vitest";
import { TickerFieldUses } from "./ticker-field-uses";

test("a field is selected from its first use to the end of its last one", () => {
  let selected: readonly TickerField[] | undefined;
  const uses = new TickerFieldUses({ setFields: (fields) => (selected = fields) });

  const [first, second] = [uses.use(["last", "high"]), uses.use(["high", "low"])];
  expect(selected).toEqual(["last", "high", "low"]);
  first();
  expect(selected).toEqual(["high", "low"]);
  second();
  expect(selected).toEqual([]);
});
