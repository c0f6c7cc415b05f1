/** The short form of bench/advice.ts: rows that go by other ways than the others, on a real pair. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { expect, test } from "vitest";
import { playRow } from "../support/advice/play.ts";
import { ROWS } from "../support/advice/rows.ts";
import { openStage } from "../support/advice/stage.ts";
import { skips } from "../support/skip.ts";

const hasBoards = spawnSync("ipmi_sim", ["-h"]).error === undefined;
const isSkipped = skips(process.getuid?.() !== 0 || !hasBoards, "it needs root for its namespaces, and ipmi_sim");
/** An agent's failure, an attribute, a constraint, the history of an address. */
const SHORT = [6, 5, 11, 18, 19];

test.skipIf(isSkipped)(
  "what is wrong is told with what to do, and the command heals it",
  { timeout: 600_000 },
  async () => {
    const stage = await openStage(30_000);
    try {
      for (const row of ROWS.filter((one) => SHORT.includes(one.row))) {
        const { faults } = await playRow(stage, row);
        // How soon, on a machine that does other things as well, is the bench's to say.
        expect(
          faults.filter((fault) => !fault.startsWith("it is told after")),
          row.code,
        ).toEqual([]);
      }
    } finally {
      await stage.close();
    }
  },
);
