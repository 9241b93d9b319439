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

export default defineConfig({
  plugins: [preload],
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
