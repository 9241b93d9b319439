import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    // For a machine that has other things to do; a test that passes never waits for it.
    testTimeout: 30_000,
  },
});
