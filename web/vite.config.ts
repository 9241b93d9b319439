import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds a running server. */
const server = process.env["TAPECAST_URL"] ?? "http://127.0.0.1:8080";

/** Fetched and compiled beside the entry, which asks for it only when it runs: the list has to wait for one journey less. */
const AT_ONCE = ["grid"];

const preload: Plugin = {
  name: "preload",
  transformIndexHtml: (_html, { bundle = {} }) =>
    Object.values(bundle)
      .filter((file) => file.type === "chunk" && AT_ONCE.includes(file.name))
      .map(({ fileName }) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` }, injectTo: "head" as const })),
};

/**
 * Asks V8 to compile the whole of it on the thread that receives it (an explicit compile hint; others take it for a comment).
 * Most of the grid is called as it is made, and compiled function by function then, while the list waits.
 */
const compileHint: Plugin = {
  name: "compile-hint",
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk" && AT_ONCE.includes(file.name)) file.code = `//# allFunctionsCalledOnLoad\n${file.code}`;
    }
  },
};

export default defineConfig({
  plugins: [preload, compileHint],
  build: {
    target: "es2022",
    // The server's content policy allows no data: URLs, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/v2": server,
      "/websocket": { target: server, ws: true },
    },
  },
});
