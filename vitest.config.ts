import { defineConfig } from "vitest/config";

// Everything runs in Node: core and the partition directly, the Workers in a real workerd started by the tests.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/tracker.ts",
    environment: "node",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
