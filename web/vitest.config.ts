import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    // Generous, for busy machines. A passing test never waits for it.
    testTimeout: 30_000,
  },
});
