import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Everything runs in Node: core and the partition directly, the Workers in a real workerd started by the tests.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/tracker.ts",
    environment: "node",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // As many files at once as there are cores; unless it is said, one core is left idle: of two that is half.
    maxWorkers: availableParallelism(),
    // Files share their process, with what it has loaded and bundled: a file that changes something for all puts it back.
    isolate: false,
  },
});
