import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

/** The modules that each module may import, by their `index.ts`. Dependencies point one way: from `app` towards `model`. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  format: ["model"],
  wire: ["model"],
  client: ["model", "wire"],
  market: ["model"],
  topics: ["model"],
  alerts: ["model"],
  strings: ["model", "format", "client", "topics"],
  settings: ["model", "market", "strings"],
  store: ["model", "client", "market", "topics"],
  platform: ["model", "client"],
  view: ["model", "format", "client", "market", "topics", "alerts", "strings", "settings"],
  app: ["model", "client", "market", "topics", "alerts", "strings", "settings", "store", "platform", "view"],
};

const SOURCE = import.meta.dirname;

interface Import {
  /** Relative to the source folder, such as `wire/read.ts`. */
  readonly from: string;
  readonly to: string;
}

/** The source files except tests and style sheets, relative to the source folder. */
const files: readonly string[] = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .sort();

/** The imports of own files, in all forms that TypeScript knows: static, type-only, re-exporting and dynamic. */
const imports: readonly Import[] = files.flatMap((from) =>
  ts
    .preProcessFile(readFileSync(join(SOURCE, from), "utf8"))
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => ({ from, to: resolve(normalize(join(dirname(from), fileName))) })),
);

function resolve(path: string): string {
  const candidates = [path, `${path}.ts`, join(path, "index.ts")];
  return candidates.find((candidate) => files.includes(candidate)) ?? path;
}

/** The module of a file; undefined for `main.ts`. */
const moduleOf = (file: string): string | undefined => (file.includes("/") ? file.split("/")[0] : undefined);

test("every file except main.ts belongs to a known module", () => {
  expect(files.filter((file) => moduleOf(file) === undefined)).toEqual(["main.ts"]);
  expect([...new Set(files.flatMap((file) => moduleOf(file) ?? []))].sort()).toEqual(Object.keys(IMPORTS).sort());
});

test("the permitted dependencies form no circle", () => {
  const order = Object.keys(IMPORTS);

  const backward = order.flatMap((name, at) => (IMPORTS[name] ?? []).filter((other) => order.indexOf(other) >= at));
  expect(backward).toEqual([]);
});

test("a module imports only the permitted modules, and only by their index.ts", () => {
  const forbidden = imports.filter(({ from, to }) => {
    const [importer, imported] = [moduleOf(from), moduleOf(to)];
    if (importer === undefined) return to !== "app/index.ts";
    if (importer === imported) return false;
    return !(IMPORTS[importer] ?? []).some((name) => to === `${name}/index.ts`);
  });

  expect(imports.length).toBeGreaterThan(100);
  expect(forbidden).toEqual([]);
});

test("no import circle exists between files", () => {
  const targets = new Map(files.map((file) => [file, imports.filter(({ from }) => from === file).map(({ to }) => to)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" > "));
    if (done.has(file) || path.includes(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };

  for (const file of files) visit(file, []);

  expect(circles).toEqual([]);
});
