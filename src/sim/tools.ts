/** What the cores are handed with each step. */
import type { ExecutorTools } from "../cluster/core/executor/types.ts";
import { md5 } from "../cluster/core/scheduler/facts/md5.ts";

/** The same few texts come again and again. */
const KNOWN_MAX = 10_000;
const known = new Map<string, string>();

export const TOOLS: ExecutorTools = {
  md5(text) {
    const before = known.get(text);
    if (before !== undefined) return before;
    const digest = md5(text);
    if (known.size < KNOWN_MAX) known.set(text, digest);
    return digest;
  },
};
