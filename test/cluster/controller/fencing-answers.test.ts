/** What the cluster says of a proven death: who has proven it, and nobody else. */
import { expect, test } from "vitest";
import { fencedByProof } from "../../../src/cluster/core/controller/fencing-answers.ts";
import type { DeviceRecord, FencingRecord } from "../../../src/fencing/core/fencer-state.ts";

const tried = (device: string, driver: string, isConfirmed: boolean): DeviceRecord => ({
  device,
  driver,
  action: "off",
  outcome: isConfirmed ? { kind: "confirmed", power: "off" } : { kind: "not-done", reason: "no way to the board" },
  evidence: [],
  startedWallMs: 0,
  endedWallMs: 1,
});

const record = (...devices: readonly DeviceRecord[]): FencingRecord => ({
  node: "alpha",
  id: 1,
  target: "bravo",
  action: "off",
  outcome: { kind: "confirmed", power: "off" },
  devices,
  by: ["alpha: the cluster", "root on alpha at ttyS0"],
  startedWallMs: 0,
  endedWallMs: 1,
});

const DEAD_BOARD = tried("fence-bravo", "ipmi-lan", false);

test.each([
  [
    "a person, after a board that did not answer",
    [DEAD_BOARD, tried("operator", "meatware", true)],
    /^by the word of root/,
  ],
  [
    "a board, at its second try",
    [DEAD_BOARD, tried("fence-bravo", "ipmi-lan", true)],
    /^power read as off by fence-bravo$/,
  ],
  ["an outlet, after a board", [DEAD_BOARD, tried("pdu", "snmp-pdu", true)], /^power read as off by pdu$/],
  ["the peer's word, without devices here", [], /^by the word of root/],
] as const)("proven by %s", (_, devices, said) => {
  expect(fencedByProof(record(...devices)).reason).toMatch(said);
});
