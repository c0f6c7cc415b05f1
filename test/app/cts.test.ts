/** The short form of bench/cts.ts: rounds of the kinds that found something once, on three real nodes. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { expect, test } from "vitest";
import { playRounds } from "../support/cts/play.ts";
import { skips } from "../support/skip.ts";

const hasBoards = spawnSync("ipmi_sim", ["-h"]).error === undefined;
const isSkipped = skips(process.getuid?.() !== 0 || !hasBoards, "it needs root for its namespaces, and ipmi_sim");
const ROUNDS = ["ResourceRecover", "ManagerFail", "LeaderFail", "KeeperFail", "Reattach"];

test.skipIf(isSkipped)(
  "three nodes: resources recover, managers and the DC die, all are restarted beside running services",
  { timeout: 600_000 },
  async () => {
    const story: string[] = [];
    const { rounds, failures } = await playRounds({
      seed: 1,
      names: ROUNDS,
      say: (line) => story.push(line),
      stopsAtFailure: true,
    });
    expect(failures, story.join("\n")).toEqual([]);
    expect(rounds).toBe(ROUNDS.length);
  },
);
