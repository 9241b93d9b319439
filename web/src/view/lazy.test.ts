import { expect, test } from "vitest";
import { Lazy } from "./lazy";

test("calls before the part is loaded run in order when it is", async () => {
  const calls: string[] = [];
  let finishLoading: (part: string[]) => void = () => undefined;
  const lazy = new Lazy(new Promise<string[]>((resolve) => (finishLoading = resolve)), () => undefined);
  lazy.whenLoaded((part) => part.push("first"));
  lazy.whenLoaded((part) => part.push("second"));
  expect(lazy.loaded).toBeUndefined();

  finishLoading(calls);
  await Promise.resolve();
  lazy.whenLoaded((part) => part.push("third"));

  expect(lazy.loaded).toBe(calls);
  expect(calls).toEqual(["first", "second", "third"]);
});

test("a part that fails to load is reported", async () => {
  const reported = await new Promise((resolve) => new Lazy(Promise.reject(new Error("no such file")), () => { resolve("failed"); }));

  expect(reported).toBe("failed");
});
