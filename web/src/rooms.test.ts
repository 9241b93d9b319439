import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Which rooms each room listens to. The files beside the rooms know everybody. */
const LISTENS_TO: Readonly<Record<string, readonly string[]>> = {
  model: [],
  format: ["model"],
  wire: ["model"],
  client: ["model", "wire"],
  market: ["model"],
  strings: ["format", "client"],
  settings: ["model", "market", "strings"],
  view: ["model", "format", "client", "market", "strings", "settings"],
};

const HERE = import.meta.dirname;

const files = Object.keys(LISTENS_TO).flatMap((room) =>
  readdirSync(`${HERE}/${room}`)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => ({ room, name: `${room}/${name}` })),
);

/** What a line imports, as a path from where it stands. */
function importedBy(line: string): string | undefined {
  return /^(?:import|export|\}).* from "(\.[^"]*)"/.exec(line)?.[1];
}

test("a room imports the rooms that it listens to, by their door, and no other", () => {
  const broken = files.flatMap(({ room, name }) =>
    readFileSync(`${HERE}/${name}`, "utf8")
      .split("\n")
      .flatMap((line, at) => {
        const path = importedBy(line);
        const isOwn = path?.startsWith("./") ?? true;
        const isDoor = LISTENS_TO[room]?.some((other) => path === `../${other}`) ?? false;
        return isOwn || isDoor ? [] : [`${name}:${at + 1} imports ${path ?? ""}`];
      }),
  );

  expect(files.length).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});
