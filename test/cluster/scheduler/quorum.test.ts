/** Without quorum: what each policy lets run. Facts: Pacemaker Explained, no-quorum-policy; crm_simulate. */
import { expect, test } from "vitest";
import { summaryLines } from "../../../src/cluster/core/scheduler/print/summary-lines.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { ACTIVE, pairCib, STANDBY } from "./pair-cib.ts";

const NOW_WALL_MS = 1_800_000_000_000;

function summary(policy: string): string[] {
  const edit = (text: string) =>
    text
      .replace('have-quorum="1"', 'have-quorum="0"')
      .replace('name="no-quorum-policy" value="ignore"', `name="no-quorum-policy" value="${policy}"`);
  const lines = summaryLines(work(pairCib(ACTIVE, STANDBY, edit), NOW_WALL_MS));
  return lines.map((line) => line.replaceAll(/\s+/g, " "));
}

test("ignore and freeze leave alone what runs", () => {
  expect(summary("ignore")).toEqual([]);
  expect(summary("freeze")).toEqual([]);
});

test("stop stops everything, fencing devices included", () => {
  const lines = summary("stop");
  expect(lines).toHaveLength(7);
  for (const line of lines) expect(line).toMatch(/^Stop .* due to no quorum$/);
});

test("demote demotes what is promoted, leaves it running, and stops the rest", () => {
  expect(summary("demote")).toEqual([
    "Stop fence-alpha ( bravo ) due to no quorum",
    "Stop fence-bravo ( alpha ) due to no quorum",
    "Demote drbd0:0 ( Promoted -> Unpromoted alpha )",
    "Stop fs ( alpha ) due to node availability",
    "Stop ip ( alpha ) due to node availability",
    "Stop http ( alpha ) due to node availability",
  ]);
});
