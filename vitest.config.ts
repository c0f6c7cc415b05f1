/** The suite's parts: `quick` (pure and local), `emulated` (QEMU and ipmi_sim machines, one after another). */
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "quick",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.machine.test.ts"],
          testTimeout: 60_000,
          // Most of its time is waiting for real processes; fewer workers would wait in a row.
          maxWorkers: 7,
        },
      },
      {
        test: {
          name: "emulated",
          include: ["test/**/*.machine.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
