/** What the keeper measures of itself: lateness, the machine's clocks, how good its links are. */
import { expect, test } from "vitest";
import { compareClocks } from "../../../src/cluster/core/keeper/clocks.ts";
import { addToSpread, HALF_MS, readSpread, startSpread } from "../../../src/cluster/core/keeper/spread.ts";
import { heardPercent, NO_HISTORY, noteBeat, noteChange } from "../../../src/cluster/core/membership/link-history.ts";
import { fc } from "../../support/repeatable.ts";

const spreadOf = (values: readonly number[], atMs = 0) =>
  values.reduce((spread, value) => addToSpread(spread, value, atMs), startSpread(0));

test("one late beat of a hundred is not the 99th percentile, two are", () => {
  const calm = Array.from({ length: 99 }, () => 0.4);
  expect(readSpread(spreadOf([...calm, 800]))).toEqual({ count: 100, p99Ms: 0.5, worstMs: 800 });
  expect(readSpread(spreadOf([...calm.slice(1), 800, 900]))).toEqual({ count: 100, p99Ms: 900, worstMs: 900 });
});

test("the percentile is never below the true one, nor above the worst", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1 }), (values) => {
      const { p99Ms, worstMs } = readSpread(spreadOf(values));
      const sorted = values.toSorted((left, right) => left - right);
      expect(p99Ms).toBeGreaterThanOrEqual(sorted[Math.ceil(values.length * 0.99) - 1] ?? 0);
      expect(p99Ms).toBeLessThanOrEqual(worstMs);
    }),
  );
});

test("what was long ago is forgotten", () => {
  let spread = spreadOf([5000]);
  spread = addToSpread(spread, 1, HALF_MS);
  expect(readSpread(spread).worstMs).toBe(5000);
  spread = addToSpread(spread, 1, 2 * HALF_MS);
  expect(readSpread(spread)).toEqual({ count: 2, p99Ms: 1, worstMs: 1 });
});

const clocks = (monotonicMs: number, bootMs: number, wallMs: number) => ({ monotonicMs, bootMs, wallMs });

test("a suspended machine, and a wall clock that is set, are told apart", () => {
  const before = clocks(1000, 1000, 1_700_000_000_000);
  expect(compareClocks(before, clocks(1500, 1500, 1_700_000_000_500))).toEqual([]);
  expect(compareClocks(before, clocks(1500, 9500, 1_700_000_008_500))).toEqual([{ kind: "suspended", sleptMs: 8000 }]);
  const tenYears = 315_360_000_000;
  expect(compareClocks(before, clocks(1500, 1500, 1_700_000_000_500 - tenYears))).toEqual([
    { kind: "clock-step", stepMs: -tenYears },
  ]);
  // A process that was stopped is no suspended machine: both clocks ran on.
  expect(compareClocks(before, clocks(9000, 9000, 1_700_000_008_000))).toEqual([]);
});

test("a link's share of the beats is known from those that came another way", () => {
  const all = Array.from({ length: 64 }, (_, beat) => beat + 1);
  const of = (beats: readonly number[]) => beats.reduce(noteBeat, NO_HISTORY);
  expect(heardPercent(NO_HISTORY, 64)).toBeUndefined();
  expect(heardPercent(of(all), 64)).toBe(100);
  expect(heardPercent(of(all.filter((beat) => beat % 4 !== 0)), 64)).toBe(75);
  // Overtaken on the way is not lost; the last 8 never came; a peer that starts anew counts from 1.
  expect(heardPercent(of([1, 2, 4, 3, 6, 5]), 6)).toBe(100);
  expect(heardPercent(of(all.slice(0, 56)), 64)).toBe(75);
  expect(heardPercent(of([...all, 1]), 1)).toBe(100);
  expect(heardPercent(of(all), 200)).toBe(0);
  // Of a peer that restarts after a few beats, or whose second beat overtook the first: never more than all.
  expect(heardPercent(of([5, 1]), 5)).toBe(40);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (beats) => {
      expect(heardPercent(of(beats), Math.max(...beats))).toBeLessThanOrEqual(100);
    }),
  );
});

test("the latest changes of a link are kept, the oldest go", () => {
  const states = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? ("down" as const) : ("up" as const)));
  const { changes } = states.reduce((history, state, atMs) => noteChange(history, state, atMs), NO_HISTORY);
  expect(changes.length).toBe(8);
  expect(changes[0]).toEqual({ state: "up", atMs: 19 });
});
