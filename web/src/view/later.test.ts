import { expect, test } from "vitest";
import { Later } from "./later";

test("calls before the part is loaded run in order when it is", async () => {
  const done: string[] = [];
  let arrive: (part: string[]) => void = () => undefined;
  const later = new Later(new Promise<string[]>((arrived) => (arrive = arrived)), () => undefined);
  later.do((part) => part.push("first"));
  later.do((part) => part.push("second"));
  expect(later.now).toBeUndefined();

  arrive(done);
  await Promise.resolve();
  later.do((part) => part.push("third"));

  expect(later.now).toBe(done);
  expect(done).toEqual(["first", "second", "third"]);
});

test("a part that fails to load is reported", async () => {
  const told = await new Promise((missing) => new Later(Promise.reject(new Error("no such file")), () => { missing("missing"); }));

  expect(told).toBe("missing");
});
