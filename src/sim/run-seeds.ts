/** Many seeds: what was simulated, what was found; and the shortest plan that still shows what was found. */
import { randomPlan } from "./random-plan.ts";
import { play } from "./scenario.ts";
import { type Invariant, Violation } from "./watch.ts";
import type { RunOptions } from "./world.ts";

export interface Failure {
  readonly seed: number;
  readonly invariant: Invariant;
  readonly text: string;
  readonly atMs: number;
}

export interface Tally {
  readonly runs: number;
  readonly simulatedMs: number;
  readonly faults: number;
  readonly checks: number;
  readonly steps: number;
  readonly decisions: number;
  readonly fencings: number;
  readonly failures: readonly Failure[];
}

export const NO_TALLY: Tally = {
  runs: 0,
  simulatedMs: 0,
  faults: 0,
  checks: 0,
  steps: 0,
  decisions: 0,
  fencings: 0,
  failures: [],
};

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    runs: one.runs + other.runs,
    simulatedMs: one.simulatedMs + other.simulatedMs,
    faults: one.faults + other.faults,
    checks: one.checks + other.checks,
    steps: one.steps + other.steps,
    decisions: one.decisions + other.decisions,
    fencings: one.fencings + other.fencings,
    failures: [...one.failures, ...other.failures],
  };
}

/** A core that throws has broken an invariant of its own: its process would have crashed. */
export function failureOf(seed: number, error: unknown): Failure {
  if (error instanceof Violation) {
    const { invariant, message, atMs } = error;
    return { seed, invariant, text: message, atMs };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { seed, invariant: "no-crash", text, atMs: 0 };
}

/** Plays the lines; the failure, when there is one. */
export function tryLines(
  seed: number,
  lines: readonly string[],
  options: RunOptions = {},
): { readonly tally: Tally; readonly failure: Failure | undefined } {
  try {
    const { agenda, faults, watch, decisions } = play(seed, lines, options);
    const { nowMs: simulatedMs, steps } = agenda;
    const { checks, fencings } = watch;
    const tally = { runs: 1, simulatedMs, faults, checks, steps, decisions, fencings, failures: [] };
    return { tally, failure: undefined };
  } catch (error) {
    const failure = failureOf(seed, error);
    return { tally: { ...NO_TALLY, runs: 1, failures: [failure] }, failure };
  }
}

export function runSeed(seed: number, options: RunOptions = {}): Tally {
  return tryLines(seed, randomPlan(seed), options).tally;
}

/** Rounds of leaving lines out; each tries every line. */
const SHRINK_ROUNDS = 6;

/** Leaves out lines, and shortens waits, as long as the same invariant still breaks. */
export function shrink(
  seed: number,
  invariant: Invariant,
  plan: readonly string[],
  options: RunOptions = {},
): readonly string[] {
  const stillBreaks = (lines: readonly string[]) => tryLines(seed, lines, options).failure?.invariant === invariant;
  let lines = plan;
  for (let round = 0; round < SHRINK_ROUNDS; round += 1) {
    const before = lines.length;
    for (let at = lines.length - 1; at >= 1; at -= 1) {
      const shorter = [...lines.slice(0, at), ...lines.slice(at + 1)];
      if (stillBreaks(shorter)) lines = shorter;
    }
    if (lines.length === before) break;
  }
  return lines;
}
