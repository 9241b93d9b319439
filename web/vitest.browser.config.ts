import { defineConfig } from "vitest/config";
import { packageSources } from "./workspace.ts";

export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    include: ["e2e/**/*.test.ts"],
    environment: "node",
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
