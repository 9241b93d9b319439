import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { FLAGS, nextFlag, readFlags, writeFlags, type Flag } from "./flags";

test("the flags follow each other, and after the last one there is none", () => {
  const seen: (Flag | undefined)[] = [undefined];
  for (let at = 0; at <= FLAGS.length; at += 1) seen.push(nextFlag(seen.at(-1)));

  expect(seen).toEqual([undefined, ...FLAGS, undefined]);
});

test("flags survive serialisation, invalid ones are ignored", () => {
  const flags = new Map([[symbol("AAPL"), "blue" as const]]);

  expect(readFlags(writeFlags(flags))).toEqual(flags);
  expect(readFlags('{"AAPL":"pink","A B":"red","KO":"red"}')).toEqual(new Map([[symbol("KO"), "red"]]));
});
