import { defineConfig } from "vitest/config";
import { packageSources } from "./workspace.ts";

export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    include: ["src/**/*.test.ts", "client/src/**/*.test.ts", "react/src/**/*.test.ts"],
    environment: "node",
    // Generous, for busy machines. A passing test never waits for it.
    testTimeout: 30_000,
  },
});
