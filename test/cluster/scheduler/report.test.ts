/** The report of a simulated run: what an operator reads before and after a takeover. */
import { expect, test } from "vitest";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { simulateRun } from "../../../src/cluster/core/scheduler/print/simulated-run.ts";
import { statusReport } from "../../../src/cluster/core/scheduler/print/status-report.ts";
import { summaryLines } from "../../../src/cluster/core/scheduler/print/summary-lines.ts";
import { schedule, work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { ACTIVE, pairCib, STANDBY } from "./pair-cib.ts";

const NOW_WALL_MS = 1_800_000_000_000;
const lost = pairCib({ ...ACTIVE, online: false }, STANDBY);

test("the summary of a takeover names the fencing first and where everything goes", () => {
  const lines = summaryLines(work(lost, NOW_WALL_MS)).map((line) => line.replaceAll(/\s+/g, " "));
  expect(lines).toEqual([
    "Fence (off) alpha 'peer is no longer part of the cluster'",
    "Stop fence-bravo ( alpha ) due to node availability",
    "Stop drbd0:0 ( Promoted alpha ) due to node availability",
    "Promote drbd0:1 ( Unpromoted -> Promoted bravo )",
    "Move fs ( alpha -> bravo )",
    "Move ip ( alpha -> bravo )",
    "Move http ( alpha -> bravo )",
  ]);
});

test("played through, the survivor has everything and nothing is left to do", () => {
  const { lines, cib } = simulateRun(lost, work(lost, NOW_WALL_MS));
  const order = ["Fencing alpha (off)", "Resource action: drbd0           promote on bravo"];
  expect(order.map((line) => lines.indexOf(line)).every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true);
  const after = statusReport(readFacts(cib, NOW_WALL_MS, undefined), "Revised Cluster Status", false);
  expect(after).toContain("* OFFLINE: [ alpha ]");
  expect(after).toContain("* Promoted: [ bravo ]");
  expect(after).toMatch(/http\s+\(ocf:gemel:http\):\s+Started bravo/);
  expect(schedule(cib, NOW_WALL_MS).transition.actions).toEqual([]);
});
