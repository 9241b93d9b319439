import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

/**
 * The modules that each module may import. Dependencies point one way: from `app` towards `model`. `admin/…` is the admin page, a
 * second entry, of which the dashboard imports nothing.
 *
 * Modules of the page import each other by their `index.ts`. `client/…` are the inner modules of the package
 * `@tapecast/client`: it has one entry, and what the page imports of it counts as an import of the inner module
 * that declares the name.
 */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  "client/model": [],
  "client/wire": ["client/model"],
  "client/stream": ["client/model", "client/wire"],
  "client/start": ["client/model", "client/wire", "client/stream"],
  format: ["client/model"],
  market: ["client/model"],
  topics: ["client/model"],
  alerts: ["client/model"],
  "wire-log": ["client/model"],
  source: ["client/model"],
  strings: ["client/model", "client/wire", "client/stream", "format", "market", "topics", "wire-log", "source"],
  settings: ["client/model", "market", "strings"],
  layout: [],
  store: ["client/model", "client/wire", "client/stream", "market", "topics", "wire-log", "source"],
  platform: ["client/model", "client/wire", "client/stream"],
  view: ["client/model", "client/wire", "client/stream", "format", "market", "topics", "alerts", "wire-log", "source", "strings", "settings", "layout"],
  panels: ["client/model", "client/wire", "client/stream", "format", "market", "topics", "alerts", "wire-log", "source", "strings", "settings", "layout", "store", "platform", "view"],
  app: ["client/model", "client/wire", "client/stream", "market", "topics", "alerts", "strings", "settings", "layout", "store", "platform", "view", "panels"],
  "admin/model": ["source"],
  "admin/strings": ["format", "strings", "admin/model"],
  "admin/view": ["format", "source", "settings", "view", "admin/model", "admin/strings"],
  "admin/app": ["format", "source", "settings", "platform", "view", "admin/model", "admin/strings", "admin/view"],
};

/** The package's entry, which belongs to no module: it only names what the package exports. */
const CLIENT_ENTRY = "client/index.ts";

interface Import {
  /** As in `files`. */
  readonly from: string;
  readonly to: string;
}

/** The source files except tests and style sheets: those of the page relative to `src`, those of the package below `client/`. */
const files: readonly string[] = [...sources(import.meta.dirname), ...sources(join(import.meta.dirname, "../client/src")).map((name) => `client/${name}`)].sort();

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts"));
}

function textOf(file: string): string {
  const path = file.startsWith("client/") ? join("../client/src", file.slice("client/".length)) : file;
  return readFileSync(join(import.meta.dirname, path), "utf8");
}

/** The file that declares each name that the package exports, by the `index.ts` of its inner module. */
const declaredIn: ReadonlyMap<string, string> = new Map(
  namedImports(CLIENT_ENTRY).flatMap(({ specifier, names }) => names.map((name) => [name, resolve(CLIENT_ENTRY, specifier)] as const)),
);

/** The imports of own files, apart from style sheets, in all forms that TypeScript knows: static, type-only, re-exporting and dynamic. */
const imports: readonly Import[] = files.flatMap((from) => [
  ...ts
    .preProcessFile(textOf(from))
    .importedFiles.filter(({ fileName }) => fileName.startsWith(".") && !fileName.endsWith(".css"))
    .map(({ fileName }) => ({ from, to: resolve(from, fileName) })),
  ...namedImports(from)
    .filter(({ specifier }) => specifier === "@tapecast/client")
    .flatMap(({ names }) => names.map((name) => ({ from, to: declaredIn.get(name) ?? CLIENT_ENTRY }))),
]);

/** The names that a file imports or re-exports, by where from; `*` stands for all. */
function namedImports(file: string): readonly { readonly specifier: string; readonly names: readonly string[] }[] {
  return ts.createSourceFile(file, textOf(file), ts.ScriptTarget.ES2022).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier: specifier } = statement;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return [];
    const list = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
    const isNamed = list !== undefined && (ts.isNamedImports(list) || ts.isNamedExports(list));
    const names = isNamed ? list.elements.map(({ name, propertyName = name }) => propertyName.text) : ["*"];
    return [{ specifier: specifier.text, names }];
  });
}

function resolve(from: string, specifier: string): string {
  const path = normalize(join(dirname(from), specifier));
  const candidates = [path, `${path}.ts`, join(path, "index.ts")];
  return candidates.find((candidate) => files.includes(candidate)) ?? path;
}

/** The entry points of the pages, and the module that each imports. */
const PAGE_ENTRIES: Readonly<Record<string, string>> = { "main.ts": "app/index.ts", "admin/main.ts": "admin/app/index.ts" };

/** Folders of modules. */
const NESTED = ["client", "admin"];

/** The module of a file; undefined for the entries of the pages and of the package. */
function moduleOf(file: string): string | undefined {
  const [folder = "", inner] = dirname(file).split("/");
  if (file === CLIENT_ENTRY || file in PAGE_ENTRIES) return undefined;
  return NESTED.includes(folder) ? `${folder}/${inner}` : folder;
}

test("every file except the entries of the pages and of the package belongs to a known module", () => {
  expect(files.filter((file) => moduleOf(file) === undefined)).toEqual([...Object.keys(PAGE_ENTRIES), CLIENT_ENTRY].sort());
  expect([...new Set(files.flatMap((file) => moduleOf(file) ?? []))].sort()).toEqual(Object.keys(IMPORTS).sort());
});

test("the permitted dependencies form no circle", () => {
  const order = Object.keys(IMPORTS);

  const backward = order.flatMap((name, at) => (IMPORTS[name] ?? []).filter((other) => order.indexOf(other) >= at));
  expect(backward).toEqual([]);
});

test("the package imports nothing from outside", () => {
  const specifiers = files.filter((file) => file.startsWith("client/")).flatMap((file) => ts.preProcessFile(textOf(file)).importedFiles.map(({ fileName }) => fileName));

  expect(specifiers.filter((specifier) => !specifier.startsWith("."))).toEqual([]);
  expect(imports.filter(({ from, to }) => from.startsWith("client/") && !to.startsWith("client/"))).toEqual([]);
});

test("the hooks import only React and the client", () => {
  const folder = join(import.meta.dirname, "../react/src");
  const specifiers = sources(folder).flatMap((name) => ts.preProcessFile(readFileSync(join(folder, name), "utf8")).importedFiles.map(({ fileName }) => fileName));

  expect([...new Set(specifiers.filter((specifier) => !specifier.startsWith("./")))].sort()).toEqual(["@tapecast/client", "react"]);
});

test("the page imports the package by its name, and names what it imports", () => {
  expect(imports.filter(({ from, to }) => !from.startsWith("client/") && (to === CLIENT_ENTRY || to.startsWith("..")))).toEqual([]);
  expect(files.filter((file) => /import\("@tapecast|\*.*"@tapecast/.test(textOf(file)))).toEqual([]);
});

test("a module imports only the permitted modules, and only by their index.ts", () => {
  const forbidden = imports.filter(({ from, to }) => {
    if (from === CLIENT_ENTRY) return !(to.startsWith("client/") && to.endsWith("/index.ts"));
    const [importer, imported] = [moduleOf(from), moduleOf(to)];
    if (importer === undefined) return to !== PAGE_ENTRIES[from];
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
