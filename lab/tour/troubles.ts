/**
 * The table of troubles on the emulated pair: each row is provoked, the diagnosis and its command must stand in the
 * status of the node that is asked, within its bound, and the trouble is healed by what is told.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { StatusProblem } from "../../src/app/control-protocol.ts";
import type { Lab } from "../lab.ts";
import { NODES, type NodeName, peerOf } from "../names.ts";
import { askStatus } from "../watch/node-status.ts";
import { loadCrm } from "./board-scenario.ts";
import { writersVerdict } from "./demo.ts";
import { pingTarget, restoreFromBackup, TROUBLE_ROWS, type TroubleRow } from "./trouble-rows.ts";

const CONFIGURATION = path.join(import.meta.dirname, "../configuration/troubles.crm");
const LOOK_MS = 500;
/** Beyond its bound it is late; after this it is not told at all. */
const GIVE_UP_MS = 240_000;
const RESTORED_ROW = 14;

const faultOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Both online, mirror and service whole, nothing under way, and no trouble of the table told any more. */
async function rest(lab: Lab): Promise<void> {
  for (const node of NODES) if (!lab.pair.machines[node].isOn()) await lab.pair.machines[node].powerOn();
  await lab.untilWhole();
  await lab.until("both nodes are at rest", async () => {
    const statuses = await Promise.all(NODES.map((node) => askStatus(lab.pair.machines[node])));
    return statuses.every(
      (status) => status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning,
    );
  });
}

async function toldBy(lab: Lab, asked: NodeName, code: string): Promise<StatusProblem | undefined> {
  const status = await askStatus(lab.pair.machines[asked]);
  return status?.problems.find((problem) => problem.code === code);
}

/** What is wrong with how the row was told; empty when nothing is. */
async function play(lab: Lab, { told, how, boundMs, provoke, heal }: TroubleRow): Promise<readonly string[]> {
  await rest(lab);
  const active = lab.active();
  lab.say(`row ${told.row}: ${how}`);
  const asked = await provoke(lab, active);
  const startedAtMs = performance.now();
  const elapsedMs = () => performance.now() - startedAtMs;
  let problem = await toldBy(lab, asked, told.code);
  while (problem === undefined && elapsedMs() < GIVE_UP_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    problem = await toldBy(lab, asked, told.code);
  }
  const tookMs = elapsedMs();
  lab.say(`   ${asked}, after ${(tookMs / 1000).toFixed(1)} s: ${problem?.what ?? "nothing is told"}`);
  if (problem !== undefined) lab.say(`   -> ${problem.doNow}`);
  await heal(lab, active);
  if (problem === undefined) return [`${asked} does not tell ${told.code}`];
  return [
    ...(tookMs > boundMs ? [`told after ${(tookMs / 1000).toFixed(1)} s, not within ${boundMs / 1000} s`] : []),
    ...(told.command.test(problem.doNow) ? [] : ["the command is another one"]),
    ...(problem.row === told.row ? [] : [`it is told as row ${problem.row}`]),
  ];
}

async function playRestored(lab: Lab): Promise<readonly string[]> {
  await rest(lab);
  const node = peerOf(lab.active());
  lab.say(`row ${RESTORED_ROW}: ${node} is restored from a backup of its memory`);
  await restoreFromBackup(lab, node);
  await rest(lab);
  lab.say("   it has come in by itself; there is nothing to tell");
  return [];
}

/** Plays all rows, or those named. Exit code 0 only when each was told and healed, and never were there two writers. */
export async function runTroubles(lab: Lab, only: readonly number[] | undefined): Promise<number> {
  const isPlayed = (row: number) => only?.includes(row) ?? true;
  const failed: number[] = [];
  const note = (row: number, faults: readonly string[]) => {
    for (const fault of faults) lab.say(`   FAILED: ${fault}`);
    if (faults.length > 0) failed.push(row);
  };
  try {
    await pingTarget(lab, "add");
    // The service answers before everything else has come up: fencing devices, and managers that started slowly.
    await rest(lab);
    const configuration = readFileSync(CONFIGURATION, "utf8");
    await loadCrm(lab.pair.machines[lab.active()], "update", configuration);
    for (const row of TROUBLE_ROWS.filter(({ told }) => isPlayed(told.row)))
      note(row.told.row, await play(lab, row).catch((error: unknown) => [faultOf(error)]));
    if (isPlayed(RESTORED_ROW)) note(RESTORED_ROW, await playRestored(lab));
    await rest(lab);
  } catch (error) {
    lab.say(`FAILED: ${faultOf(error)}`);
    failed.push(0);
  }
  const alone = writersVerdict(lab);
  const passed = failed.length === 0 && alone;
  lab.say(passed ? "troubles: passed" : "troubles: FAILED");
  return passed ? 0 : 1;
}
