/**
 * So many faults of the active node, alternating sides. Ends at the first thing that must never happen. After a split
 * the active node must be the survivor, so there the sides are changed in order, every fifth round.
 */
import type { Lab } from "../lab.ts";
import type { Machine } from "../machine/machine.ts";
import type { StrikeName } from "../names.ts";
import { verifyNow, writersVerdict, writeSome } from "./demo.ts";
import { changeSides, endSplit, splitOnce } from "./split.ts";
import { takeOver } from "./takeover.ts";

const RECORDS_BEFORE = 10;
/** The fault comes at a random moment within this time after the records. */
const MOMENT_MAX_MS = 2_000;
const SPLITS_PER_SIDE = 5;

/** What came of one round. */
interface Round {
  /** `alpha -> bravo`, or `alpha fences bravo`. */
  readonly moved: string;
  readonly outageMs: number;
  readonly confirmedBy: string | undefined;
  /** No acknowledged record was lost. */
  readonly kept: boolean;
  readonly wholeAfterMs: number;
}

const STRIKES: Readonly<Record<Exclude<StrikeName, "split">, (machine: Machine) => Promise<void>>> = {
  "power-cut": (machine) => machine.powerCut(),
  freeze: (machine) => machine.freeze(),
  panic: (machine) => machine.panic(),
};

async function strikeRound(lab: Lab, strike: Exclude<StrikeName, "split">, round: number): Promise<Round> {
  const { from, to, outageMs, fencing } = await takeOver(lab, `round ${round}, ${strike}`, STRIKES[strike]);
  const kept = await verifyNow(lab);
  const onAtMs = performance.now();
  await lab.pair.machines[from].powerOn();
  await lab.untilWhole();
  const wholeAfterMs = performance.now() - onAtMs;
  return { moved: `${from} -> ${to}`, outageMs, confirmedBy: fencing?.device, kept, wholeAfterMs };
}

async function splitRound(lab: Lab, round: number): Promise<Round> {
  if (round % SPLITS_PER_SIDE === 0) await changeSides(lab);
  const split = await splitOnce(lab);
  const { survivor, fenced, outageMs, fencing } = split;
  const kept = await verifyNow(lab);
  const onAtMs = performance.now();
  await endSplit(lab, split);
  const wholeAfterMs = performance.now() - onAtMs;
  const stayed = lab.active() === survivor;
  if (!stayed) lab.say(`THE SERVICE HAS MOVED to ${lab.active()}, though ${survivor} won`);
  const moved = `${survivor} fences ${fenced}`;
  return { moved, outageMs, confirmedBy: fencing?.device, kept: kept && stayed, wholeAfterMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function row(round: number, { moved, outageMs, confirmedBy, wholeAfterMs }: Round): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`.padStart(8);
  const off = confirmedBy === undefined ? "NOT CONFIRMED" : `off confirmed by ${confirmedBy}`;
  const shown = `${`${round}`.padStart(4)}  ${moved}`;
  return `${shown}  outage ${seconds(outageMs)}  whole after ${seconds(wholeAfterMs)}  ${off}`;
}

export async function runSoak(lab: Lab, rounds: number, strike: StrikeName): Promise<number> {
  const done: Round[] = [];
  const rows: string[] = [];
  let passed = true;
  for (let number = 1; number <= rounds && passed; number++) {
    await writeSome(lab, RECORDS_BEFORE);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * MOMENT_MAX_MS));
    const round = strike === "split" ? await splitRound(lab, number) : await strikeRound(lab, strike, number);
    done.push(round);
    rows.push(row(number, round));
    lab.say(rows.at(-1) ?? "");
    passed = round.kept && round.confirmedBy !== undefined && lab.watcher.writers().violations.length === 0;
  }
  lab.client.stopWriting();
  const kept = await verifyNow(lab);
  lab.say("all rounds:");
  for (const line of rows) lab.say(line);
  const outages = done.map(({ outageMs }) => outageMs);
  const confirmed = done.filter(({ confirmedBy }) => confirmedBy !== undefined).length;
  const what = strike === "split" ? "splits with exactly one survivor, the active node" : "takeovers";
  lab.say(
    `${done.length} of ${rounds} ${what}, ${confirmed} after a confirmed off; outage median ` +
      `${(median(outages) / 1000).toFixed(1)} s, worst ${(Math.max(0, ...outages) / 1000).toFixed(1)} s`,
  );
  const alone = writersVerdict(lab);
  passed = passed && kept && alone && done.length === rounds && confirmed === rounds;
  lab.say(passed ? "soak: passed" : "soak: FAILED");
  return passed ? 0 : 1;
}
