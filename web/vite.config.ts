import { defineConfig } from "vite";

/** Where `npm run dev` finds a running server. */
const server = process.env["TAPECAST_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
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
