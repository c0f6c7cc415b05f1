/** A lock that is not renewed ends the node before another one may take it, whatever its manager does. */
import { expect, test } from "vitest";
import { marginOf, noteLease } from "../../../src/cluster/core/keeper/lock-leases.ts";
import { stepHealth, type Vitals } from "../../../src/cluster/core/keeper/vitals.ts";

const LOCK = "/dev/witness (lock 1)";
const marginMs = marginOf(10_000, 1_000);
const note = (untilMs: number | undefined, nowMs: number, before = noteLease([], LOCK, undefined, 0, 0).leases) =>
  noteLease(before, LOCK, untilMs, marginMs, nowMs);

test("the end lies so early that watchdog, beat and reset fit behind it", () => {
  const { leases, isTooShort } = note(100_000, 0);
  expect(isTooShort).toBe(false);
  expect(leases).toEqual([{ lock: LOCK, endAtMs: 100_000 - 10_000 - 1_000 - 500 }]);
});

test("a renewal moves it, giving back ends it, and another lock is another one", () => {
  const renewed = note(110_000, 10_000, note(100_000, 0).leases);
  expect(renewed.leases).toEqual([{ lock: LOCK, endAtMs: 98_500 }]);
  const other = noteLease(renewed.leases, "other", 50_000, marginMs, 0).leases;
  expect(note(undefined, 11_000, other).leases.map(({ lock }) => lock)).toEqual(["other"]);
});

test("a lease that a hang may outlive is told, and ends at its half", () => {
  expect(note(20_000, 0)).toEqual({ leases: [{ lock: LOCK, endAtMs: 10_000 }], isTooShort: true });
});

test("a node that is well in all else is not fed at that time, but ended", () => {
  const { leases } = note(100_000, 0);
  const vitals = (nowMs: number): Vitals => ({
    loopedAtMs: nowMs,
    managerAnsweredAtMs: nowMs,
    managerComplaint: undefined,
    managerEnds: 0,
    storage: [],
    quorumEndAtMs: undefined,
    leases,
  });
  const limits = { loopMaxMs: 1_000, managerMaxMs: 1_000, managerEndsMax: 5, sickMaxMs: 10_000 };
  const kinds = (nowMs: number) => stepHealth({}, vitals(nowMs), limits, nowMs).effects.map(({ kind }) => kind);
  expect(kinds(88_499)).toEqual(["feed"]);
  expect(kinds(88_500)).toEqual(["end"]);
});
