/** Plays rows of the table of troubles on a stage, for bench/advice and its short form among the quick tests. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "./rows.ts";
import type { Stage } from "./stage.ts";

const LOOK_MS = 100;
/** Beyond its bound it is late; after this it is not told at all. */
const GIVE_UP_MS = 120_000;

export interface RowPlayed {
  readonly row: Row;
  /** From the end of the provocation until the status of the asked node has it. */
  readonly tookMs: number | undefined;
  readonly what: string;
  readonly doNow: string;
  /** Empty when it is as it should be. */
  readonly faults: readonly string[];
}

export async function playRow(stage: Stage, row: Row): Promise<RowPlayed> {
  await stage.rest();
  const active = await stage.active();
  const asked = await row.provoke(stage, active);
  const startedAtMs = performance.now();
  let problem = await stage.problem(asked, row.code);
  while (problem === undefined && performance.now() - startedAtMs < GIVE_UP_MS) {
    await sleep(LOOK_MS);
    problem = await stage.problem(asked, row.code);
  }
  const tookMs = problem === undefined ? undefined : Math.round(performance.now() - startedAtMs);
  await row.heal(stage, active);
  await stage.rest();
  const { what = "", doNow = "" } = problem ?? {};
  const faults = [
    ...(tookMs === undefined ? ["it is not told"] : []),
    ...(tookMs !== undefined && tookMs > row.boundMs ? [`it is told after ${tookMs} ms, not ${row.boundMs}`] : []),
    ...(problem !== undefined && !row.command.test(doNow) ? [`the command is: ${doNow}`] : []),
    ...(problem !== undefined && problem.row !== row.row ? [`it is told as row ${problem.row}`] : []),
  ];
  return { row, tookMs, what, doNow, faults };
}
