import { expect, test } from "vitest";
import { CLOSES, closeOf } from "./close";

test("a named row has a unique name, and an unnamed row is the only one of its code", () => {
  const names = CLOSES.flatMap(({ name }) => name ?? []);
  const codes = CLOSES.filter(({ name }) => name === undefined).map(({ code }) => code);

  expect(new Set(names).size).toBe(names.length);
  expect(new Set(codes).size).toBe(codes.length);
});

test("the advice of each row is known", () => {
  expect(new Set(CLOSES.map(({ reconnect }) => reconnect))).toEqual(new Set(["soon", "later", "never"]));
});

test("every row is found by its code and reason", () => {
  expect(CLOSES.map(({ code, reason }) => closeOf(code, reason))).toEqual(CLOSES);
});

test("the rows of one code differ in their reasons, at most 123 bytes long", () => {
  expect(new Set(CLOSES.map(({ code, reason }) => `${code} ${reason}`)).size).toBe(CLOSES.length);
  expect(Math.max(...CLOSES.map(({ reason }) => reason.length))).toBeLessThanOrEqual(123);
});

test.each([
  [1012, "soon"],
  [1013, "later"],
  [1002, "never"],
  [1007, "never"],
  [1008, "never"],
  [1009, "never"],
])("a close with code %d and an unknown reason advises to reconnect: %s", (code, reconnect) => {
  expect(closeOf(code, "something else")).toMatchObject({ code, reconnect });
});

test("a policy violation without a known reason has the default of its code", () => {
  expect(closeOf(1008, "too many pings").name).toBe("too_many_pings");
  expect(closeOf(1013, "slow client").name).toBe("slow_client");
  expect(closeOf(1008)).toMatchObject({ name: undefined, reason: "policy violation" });
});

test("an unknown close code advises to reconnect", () => {
  expect(closeOf(4711)).toEqual({ name: undefined, code: 4711, reason: "closed with code 4711", reconnect: "soon" });
});
