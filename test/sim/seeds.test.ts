/** Random worlds by seed; the same seed is the same run, and a failure is shown by a short plan. */
import { expect, test } from "vitest";
import { randomPlan } from "../../src/sim/random-plan.ts";
import { type Failure, runSeed, shrink, tryLines } from "../../src/sim/run-seeds.ts";
import { BROKEN_RULES } from "./broken-rules.ts";

const SEEDS = 8;

test(`${SEEDS} seeds break no invariant`, () => {
  const failures: Failure[] = [];
  for (let seed = 0; seed < SEEDS; seed += 1) failures.push(...runSeed(seed).failures);
  expect(failures).toEqual([]);
});

function traceOf(seed: number): readonly string[] {
  const lines: string[] = [];
  tryLines(seed, randomPlan(seed), { onTrace: (line) => lines.push(line) });
  return lines;
}

test("the same seed gives the same trace, byte for byte", () => {
  for (const seed of [3, 7]) {
    const trace = traceOf(seed);
    expect(trace.length).toBeGreaterThan(50);
    expect(traceOf(seed).join("\n")).toBe(trace.join("\n"));
  }
});

test("what is found is shown by as few lines as it takes", () => {
  const cores = BROKEN_RULES["starts wait for the fencing"];
  if (cores === undefined) throw new Error("there is no such rule");
  const [found] = runSeed(0, { cores }).failures;
  if (found === undefined) throw new Error("seed 0 finds nothing");
  const plan = randomPlan(0);
  const lines = shrink(0, found.invariant, plan, { cores });
  expect(lines.length).toBeLessThan(plan.length);
  expect(tryLines(0, lines, { cores }).failure?.invariant).toBe(found.invariant);
});
