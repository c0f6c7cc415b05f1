/**
 * Two nodes with full managers and real boards lose each other: one survives, the one that was active, and both had
 * said so before. Twenty in a row: `npm run bench -- races`. Needs root.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { breachesOf, openPair, playSplit } from "../support/cts/split.ts";
import { skips } from "../support/skip.ts";

const isRoot = process.getuid?.() === 0;
const isSkipped = skips(!isRoot || !existsSync("/usr/bin/ipmi_sim"), "it needs root and ipmi_sim");

test.skipIf(isSkipped)(
  "a cut of all links is survived by the active side, whichever it is",
  { timeout: 600_000 },
  async () => {
    const cluster = await openPair();
    try {
      expect(breachesOf(await playSplit(cluster, false))).toEqual([]);
      expect(breachesOf(await playSplit(cluster, true))).toEqual([]);
    } finally {
      await cluster.close();
    }
  },
);
