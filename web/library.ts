import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import type { Plugin, UserConfig } from "vite";

/** The build of a package of this workspace: one ES module, not minified, and a declaration file for each source file. */
export function library(folder: string, external: readonly string[] = []): UserConfig {
  return {
    root: folder,
    publicDir: false,
    logLevel: "warn",
    plugins: [declarations(folder)],
    build: {
      target: "es2022",
      minify: false,
      lib: { entry: entryOf(folder), formats: ["es"], fileName: "index" },
      rolldownOptions: { external: [...external] },
    },
  };
}

function entryOf(folder: string): string {
  return [join(folder, "src/index.ts"), join(folder, "src/index.tsx")].find(existsSync) ?? folder;
}

/** Writes the declaration files. */
function declarations(folder: string): Plugin {
  return {
    name: "declarations",
    closeBundle: () => {
      const root = import.meta.dirname;
      const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8")) as { readonly config: unknown };
      const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
      const program = ts.createProgram([entryOf(folder)], { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: root, outDir: root, types: [] });
      const sources = join(folder, "src");
      program.emit(undefined, (path, text) => {
        // Sources of other packages are part of the program and not of this package.
        const name = relative(sources, path);
        if (name.startsWith("..")) return;
        const file = join(folder, "dist", name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, withExtensions(text, dirname(path)));
      });
    },
  };
}

/** Completes relative imports, as the resolution of Node and TypeScript's `nodenext` demand: `../model` is `../model/index.js`. */
function withExtensions(text: string, folder: string): string {
  return text.replace(/(from |import\()"(\.[^"]*)"/g, (_, before: string, path: string) => {
    const target = join(folder, path);
    const isFile = existsSync(`${target}.ts`) || existsSync(`${target}.tsx`);
    return `${before}"${path}${isFile ? "" : "/index"}.js"`;
  });
}
