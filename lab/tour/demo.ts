/** The guided tour. Exit code 0 only after a confirmed fencing, no lost record, no two writers, and a whole pair. */
import type { Lab } from "../lab.ts";
import { formatVerdict } from "../records/ledger.ts";
import { formatTimeline, takeOver } from "./takeover.ts";

const RECORDS_BEFORE = 20;
const SERVED_MAX_MS = 60_000;

/** Verifies and says so; true when nothing is lost. */
export async function verifyNow(lab: Lab): Promise<boolean> {
  let verdict = await lab.client.verify();
  // The service may be busy with the writer's next record.
  for (let more = 5; verdict === undefined && more > 0; more--) verdict = await lab.client.verify();
  lab.say(verdict === undefined ? "verify: the service does not answer" : formatVerdict(verdict));
  return verdict !== undefined && verdict.lost.length === 0 && verdict.acknowledgedCount > 0;
}

/** Starts the client, if it does not write, and waits for its first records. */
export async function writeSome(lab: Lab, count: number): Promise<void> {
  const { client } = lab;
  const goal = client.acknowledged().length + count;
  client.write(undefined, () => {});
  await lab.until(`${count} records are acknowledged`, () => client.acknowledged().length >= goal, SERVED_MAX_MS);
}

export function writersVerdict(lab: Lab): boolean {
  const { sampleCount, violations } = lab.watcher.writers();
  lab.say(`${violations.length} moments with two writers in ${sampleCount} looks at the nodes`);
  return violations.length === 0;
}

export async function runDemo(lab: Lab): Promise<number> {
  const { pair, watcher } = lab;
  lab.say("1. the client writes numbered records through the virtual address");
  await writeSome(lab, RECORDS_BEFORE);
  lab.say(`   ${lab.client.acknowledged().length} records are acknowledged, ${lab.active()} is active`);
  lab.say("2. the power of the active node is cut, and what its disks had cached is lost");
  const takeover = await takeOver(lab, "power cut", (machine) => machine.powerCut());
  lab.say("3. is every acknowledged record on the other node?");
  const kept = await verifyNow(lab);
  lab.say(`4. ${takeover.from} gets its power back, rejoins and resynchronises`);
  const onAtMs = performance.now();
  await pair.machines[takeover.from].powerOn();
  await lab.untilWhole();
  lab.say(`   the pair is whole again after ${((performance.now() - onAtMs) / 1000).toFixed(1)} s`);
  await writeSome(lab, RECORDS_BEFORE);
  const keptAgain = await verifyNow(lab);
  if (watcher.active() === takeover.to) lab.say(`   ${takeover.to} stayed active: nothing moved back`);
  lab.client.stopWriting();
  lab.say("the timeline of the takeover:");
  for (const line of formatTimeline(takeover)) lab.say(line);
  const alone = writersVerdict(lab);
  if (takeover.fencing === undefined) lab.say("NO CONFIRMED FENCING is in the survivor's history");
  const passed = kept && keptAgain && alone && takeover.fencing !== undefined;
  lab.say(passed ? "demo: passed" : "demo: FAILED");
  return passed ? 0 : 1;
}
