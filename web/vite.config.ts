import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build, defineConfig, type Plugin } from "vite";
import { packageSources } from "./workspace.ts";

/** The server that `npm run dev` proxies to. */
const server = process.env["TAPECAST_URL"] ?? "http://127.0.0.1:8080";

/** What both pages are built for. */
const PAGE_BUILD = {
  target: "es2022",
  // The content security policy forbids data: URLs, so nothing is inlined.
  assetsInlineLimit: 0,
  modulePreload: { polyfill: false },
} as const;

/** Chunks that are needed at once, though they are imported dynamically. */
const EAGER_CHUNKS = ["grid"];

/** Preloads these chunks and the font in parallel with the entry, which saves them one round trip. */
const preload: Plugin = {
  name: "preload",
  transformIndexHtml: (_html, { bundle = {} }) => {
    const files = Object.values(bundle);
    const chunks = files.filter((file) => file.type === "chunk" && EAGER_CHUNKS.includes(file.name));
    const fonts = files.filter(({ fileName }) => fileName.endsWith(".woff2"));
    const link = (fileName: string, attrs: Readonly<Record<string, string>>) => ({
      tag: "link",
      attrs: { ...attrs, crossorigin: true, href: `./${fileName}` },
      injectTo: "head" as const,
    });
    return [
      ...chunks.map(({ fileName }) => link(fileName, { rel: "modulepreload" })),
      ...fonts.map(({ fileName }) => link(fileName, { rel: "preload", as: "font", type: "font/woff2" })),
    ];
  },
};

/**
 * Adds V8's explicit compile hint (a comment to other engines): the whole chunk is compiled eagerly on the background
 * thread that receives it. Otherwise most functions of the grid are compiled one by one on the main thread.
 */
const compileHint: Plugin = {
  name: "compile-hint",
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk" && EAGER_CHUNKS.includes(file.name)) file.code = `//# allFunctionsCalledOnLoad\n${file.code}`;
    }
  },
};

/** Adds the client library as one module, `/client.js`, which pages without a build import from the server. */
const clientLibrary: Plugin = {
  name: "client-library",
  apply: "build",
  async generateBundle() {
    const bundled = await build({
      configFile: false,
      publicDir: false,
      logLevel: "warn",
      build: {
        target: "es2022",
        write: false,
        modulePreload: { polyfill: false },
        rolldownOptions: { input: packageSources["@tapecast/client"], preserveEntrySignatures: "strict", output: { format: "es" } },
      },
    });
    const [chunk] = [bundled].flat().flatMap((result) => ("output" in result ? result.output : []));
    if (chunk?.type !== "chunk") throw new Error("the client library has no chunk");
    this.emitFile({ type: "asset", fileName: "client.js", source: chunk.code });
  },
};

/** The folder of the built pages. */
const DIST = join(import.meta.dirname, "dist");

/**
 * Adds the admin page, `admin.html`, which the server serves at `/admin/`. It is bundled apart from the dashboard: common modules would
 * become chunks of their own, which the dashboard would have to load one by one.
 */
const adminPage: Plugin = {
  name: "admin-page",
  // Not for the tools, which are built for Node by the same configuration.
  apply: ({ build: options }, { command }) => command === "build" && options?.ssr === undefined,
  closeBundle: async () => {
    await build({
      configFile: false,
      base: "./",
      // The page's only file of that folder is bundled: all of its files are in `assets/`.
      publicDir: false,
      logLevel: "warn",
      resolve: { alias: packageSources },
      plugins: [preload],
      build: {
        ...PAGE_BUILD,
        outDir: DIST,
        emptyOutDir: false,
        rolldownOptions: { input: join(import.meta.dirname, "admin.html") },
      },
    });
  },
};

/** Serves the admin page at its address during development too. */
const adminAddress: Plugin = {
  name: "admin-address",
  apply: "serve",
  configureServer: ({ middlewares }) => {
    middlewares.use((request, _response, next) => {
      if (request.url === "/admin/") request.url = "/admin.html";
      next();
    });
  },
};

/** Below this size a compressed file saves no packet. */
const WORTH_COMPRESSING_BYTES = 1_024;

/** Puts a gzip and a Brotli form beside each file that gets smaller: the server sends them as they are. */
const compress: Plugin = {
  name: "compress",
  apply: "build",
  closeBundle: {
    // After the admin page is built.
    sequential: true,
    order: "post",
    handler: () => {
      const names = readdirSync(DIST, { recursive: true, encoding: "utf8" });
      for (const name of names.filter((name) => /\.(css|html|js|json|svg)$/.test(name))) {
        const file = join(DIST, name);
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_COMPRESSING_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes));
      }
    },
  },
};

export default defineConfig({
  // Relative addresses: the page also works below a path of a proxy.
  base: "./",
  resolve: { alias: packageSources },
  plugins: [preload, compileHint, clientLibrary, adminPage, adminAddress, compress],
  build: {
    ...PAGE_BUILD,
    // AG Grid is one module of 737 kB (207 kB compressed), preloaded in parallel with the rest.
    chunkSizeWarningLimit: 800,
    // On a busy machine the bundler warns that plugins take most of the time. They are two loops over the chunks.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: {
    proxy: {
      "/v2": server,
      "/admin/api": process.env["TAPECAST_ADMIN_URL"] ?? "http://127.0.0.1:9090",
      "/client.js": server,
      "/websocket": { target: server, ws: true },
    },
  },
});
