/** When a node's watchdog is fed, and when a node that stays sick ends. */
import { expect, test } from "vitest";
import {
  type HealthState,
  stepHealth,
  type VitalLimits,
  type Vitals,
} from "../../../src/cluster/core/keeper/vitals.ts";

const LIMITS: VitalLimits = { loopMaxMs: 1000, managerMaxMs: 120_000, managerEndsMax: 5, sickMaxMs: 10_000 };
const NOW_MS = 1_000_000;
const WELL: Vitals = {
  loopedAtMs: NOW_MS,
  managerAnsweredAtMs: NOW_MS,
  managerComplaint: undefined,
  managerEnds: 5,
  storage: [{ path: "/dev/sda", maxMs: 30_000, askedAtMs: NOW_MS - 29_000 }],
  leases: [{ lock: "/dev/witness (lock 1)", endAtMs: NOW_MS + 1_000_000 }],
  quorumEndAtMs: undefined,
};

/** The same vitals at a later time: what was fresh is fresh still, what was old has grown older. */
function later(vitals: Vitals, byMs: number): Vitals {
  const { loopedAtMs, managerAnsweredAtMs } = vitals;
  return {
    ...vitals,
    ...(loopedAtMs === NOW_MS ? { loopedAtMs: NOW_MS + byMs } : {}),
    ...(managerAnsweredAtMs === NOW_MS ? { managerAnsweredAtMs: NOW_MS + byMs } : {}),
    storage: vitals.storage.map((disk) => (disk.maxMs === 30_000 ? { ...disk, askedAtMs: NOW_MS + byMs } : disk)),
  };
}

const kinds = (state: HealthState, vitals: Vitals, nowMs = NOW_MS) =>
  stepHealth(state, vitals, LIMITS, nowMs).effects.map((effect) => effect.kind);

test("a node that is well is fed at each beat, also where it has no loop", () => {
  expect(kinds({}, WELL)).toEqual(["feed"]);
  expect(kinds({}, { ...WELL, loopedAtMs: undefined })).toEqual(["feed"]);
});

test.each<[string, Partial<Vitals>, string]>([
  ["heartbeat that does not come back", { loopedAtMs: NOW_MS - 1001 }, "our own heartbeat has not come back for 1.0 s"],
  ["manager that keeps ending", { managerEnds: 6 }, "the manager ended 6 times lately"],
  ["manager that is killed and does not go", { managerAnsweredAtMs: NOW_MS - 120_001 }, "has not answered for 120.0 s"],
  ["manager that cannot work", { managerComplaint: "its disk hangs" }, "the manager cannot work: its disk hangs"],
  ["disk that hangs", { storage: [{ path: "/dev/sda", maxMs: 5000, askedAtMs: NOW_MS - 5001 }] }, "/dev/sda has not"],
])("a %s feeds nothing, is said once, and ends the node in the end", (_, change, text) => {
  const sick = { ...WELL, ...change };
  const first = stepHealth({}, sick, LIMITS, NOW_MS);
  expect(first.effects).toEqual([{ kind: "sick", text: expect.stringContaining(text) }]);
  expect(kinds(first.state, later(sick, 10_000), NOW_MS + 10_000)).toEqual([]);
  expect(stepHealth(first.state, later(sick, 10_001), LIMITS, NOW_MS + 10_001).effects).toEqual([
    { kind: "end", reason: expect.stringContaining(text) },
  ]);
});

test("a node that is well again is fed again, and its next ailment counts from its own beginning", () => {
  const sick = { ...WELL, managerEnds: 6 };
  const ill = stepHealth({}, sick, LIMITS, NOW_MS).state;
  const healed = stepHealth(ill, later(WELL, 1000), LIMITS, NOW_MS + 1000);
  expect(healed.effects).toEqual([{ kind: "feed" }, { kind: "well", sickMs: 1000 }]);
  const again = stepHealth(healed.state, later(sick, 9000), LIMITS, NOW_MS + 9000);
  expect(kinds(again.state, later(sick, 18_000), NOW_MS + 18_000)).toEqual([]);
});

test("one ailment after another is one sickness: a manager that ends by turns does not begin anew", () => {
  const ill = stepHealth({}, { ...WELL, managerEnds: 6 }, LIMITS, NOW_MS).state;
  const other = stepHealth(ill, later({ ...WELL, managerEnds: 7 }, 6000), LIMITS, NOW_MS + 6000);
  expect(other.effects.map(({ kind }) => kind)).toEqual(["sick"]);
  expect(kinds(other.state, later({ ...WELL, managerEnds: 7 }, 10_001), NOW_MS + 10_001)).toEqual(["end"]);
});

test("a node that no majority has heard for its quorum-lease is ended, however well it is", () => {
  expect(kinds({}, { ...WELL, quorumEndAtMs: NOW_MS + 1 })).toEqual(["feed"]);
  expect(kinds({}, { ...WELL, quorumEndAtMs: NOW_MS })).toEqual(["end"]);
});
