/** The short form of bench/cts.ts: rounds of the kinds that found something once, on three real nodes. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { expect, test } from "vitest";
import { playRounds } from "../support/cts/play.ts";
import { unjustFencings } from "../support/cts/shots.ts";
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

test("a fencing without a fault is unjust where its target was known to live", () => {
  const at = (second: number, text: string) => `2026-11-21T22:01:${String(second).padStart(2, "0")}.000Z ${text}\n`;
  const keeper = (second: number, text: string) => `<5>${at(second, `keeper ${text}`)}`;
  const fence = at(20, "WARNING: fencing of charlie (reboot): the node's state is unknown");
  const judge = (alpha: string, charlie = "") =>
    unjustFencings(
      new Map([
        ["alpha", alpha],
        ["charlie", charlie],
      ]),
      new Map(),
    ).length;
  const member = at(10, "INFO: members: alpha, charlie");
  const alone = at(12, "INFO: members: alpha");
  expect(judge(fence)).toBe(0);
  expect(judge(member + fence)).toBe(1);
  // Lost without a fault.
  expect(judge(member + keeper(11, "alpha: peer-lost: charlie, silent for 6000 ms") + alone + fence)).toBe(1);
  expect(judge(member + keeper(11, "alpha: peer-left: charlie") + alone + fence)).toBe(0);
  // Of an earlier life of the decider, or heard by the keeper and not yet by the manager.
  expect(judge(member + keeper(13, "alpha: start 3 of node alpha in cluster cts") + fence)).toBe(0);
  expect(judge(keeper(19, "alpha: peer-joined: charlie, start 2") + fence)).toBe(0);
  // It had followed somebody: the decider should have known.
  expect(judge(fence, at(9, "INFO: bravo is the DC"))).toBe(1);
  expect(judge(fence, at(9, "INFO: bravo is the DC") + keeper(18, "charlie: start 4 of node charlie"))).toBe(0);
  expect(judge(fence, at(9, "INFO: bravo is the DC") + keeper(18, "charlie: gone: goodbye is said"))).toBe(0);
});
