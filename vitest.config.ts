/** The suite's parts: `quick` (pure and local), `emulated` (QEMU and ipmi_sim machines, one after another). */
import path from "node:path";
import process from "node:process";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** No test goes by durations: what is waited for comes, or the machine is given this long to be slow in. */
const POLL_MAX_MS = 60_000;

// Hundreds of processes are started from the source, and stripping its types anew costs each a third of a second; the
// tests' own processes find vitest compiled as well.
process.env.NODE_COMPILE_CACHE ??= path.resolve(import.meta.dirname, ".cache/compile");

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "quick",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.machine.test.ts"],
          // A test that hangs ends by the bound of its own wait, which names what did not come; this is for the rest.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: POLL_MAX_MS } },
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
          expect: { poll: { timeout: POLL_MAX_MS } },
        },
      },
    ],
  },
});
