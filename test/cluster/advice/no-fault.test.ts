/** What looks like a fault and is none: work of operators, and two faults one after the other. */
import { describe, expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import type { FencingFact } from "../../../src/cluster/core/advice/situation.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { NOW_MS, runsOn, type Scene, situationOf } from "./scene.ts";

const codes = (scene: Scene) => advise(situationOf(scene)).map(({ code }) => code);
const told = (scene: Scene) =>
  advise(situationOf(scene)).map(({ code, values }) => {
    const { what, doNow } = textOf("en", code, values);
    return `${code}: ${what} -> ${doNow}`;
  });

const shot = (target: string, by: string, agoMs: number): FencingFact => ({
  target,
  action: "off",
  outcome: "confirmed",
  by: `${by}: the cluster`,
  evidence: "power read: off",
  reason: "",
  atWallMs: NOW_MS - agoMs,
});

test("a node that came back and then fenced the other for a fault of its own is no fencing of each other", () => {
  const live = { fencing: [shot("srv01", "srv02", 200_000), shot("srv02", "srv01", 50_000)] };
  expect(codes({ done: runsOn("srv01"), live })).not.toContain("mutual-fencing");
});

test.each([
  ["after a boot of ten minutes", 650_000, true, true],
  ["that was down for hours before it came back to a dead peer", 8_000_000, true, false],
  ["that has met the other since", 650_000, false, false],
])("a node %s that fences back", (_name, agoMs, isStranger, isMutual) => {
  const back: FencingFact = { ...shot("srv02", "srv01", 50_000), ...(isStranger ? { hasNotMet: true } : {}) };
  const live = { fencing: [shot("srv01", "srv02", agoMs), back] };
  expect(codes({ done: runsOn("srv01"), live }).includes("mutual-fencing")).toBe(isMutual);
});

test("a service that its agent calls degraded: a warning with the agent's reason, and no failure", () => {
  const monitor = { node: "srv01", resource: "prmDB", task: "monitor", intervalMs: 10_000 } as const;
  expect(told({ done: [...runsOn("srv01"), { ...monitor, rc: 190, reason: "slow disk" }] })).toEqual([
    "resource-degraded: prmDB serves on srv01, but its agent calls it degraded: slow disk -> " +
      "mend the cause on srv01 before it fails; then: crm resource cleanup prmDB srv01",
  ]);
});

describe("what an operator has stopped", () => {
  const colocation = '<rsc_colocation id="c" rsc="grpDB" with-rsc="clnPing" score="INFINITY"/>';

  test("what needs it is no fault: the command that starts it again is named", () => {
    const lines = told({ stopped: "clnPing", constraints: colocation });
    expect(lines).toEqual([
      "held-by-stopped: grpDB cannot run: clnPing, which it needs, is stopped by an operator (target-role) -> " +
        "when the work is done: crm resource start clnPing",
    ]);
  });

  test("by an order it is needed too, by a preference it is not", () => {
    const order = '<rsc_order id="o" first="clnPing" then="grpDB" kind="Mandatory"/>';
    expect(codes({ stopped: "clnPing", constraints: order })).toEqual(["held-by-stopped"]);
    const preference = colocation.replace("INFINITY", "100");
    expect(codes({ stopped: "clnPing", constraints: preference })).toEqual(["runs-nowhere"]);
  });
});
