/** What `gemel status` says of the proofs of the fencing devices: their age, their end, and what is wrong with them. */
import { expect, test } from "vitest";
import { proofLines } from "../../../src/app/commands/status.ts";
import type { ProofStatus } from "../../../src/app/fencing-report.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function told(...proofs: readonly ProofStatus[]): readonly string[] {
  const fencing = { isEnabled: true, devices: [], history: [], proofs, race: { order: [], delayMs: 0 } };
  return proofLines({ fencing, atWallMs: NOW });
}

const proven = (node: string, agoMs: number): ProofStatus => ({
  node,
  device: "fence-bravo",
  state: "proven",
  provenWallMs: NOW - agoMs,
  expiresWallMs: NOW - agoMs + 60 * MINUTE,
});

test("each device is told by the node that has not seen it for the longest, with the end of its proof", () => {
  expect(told(proven("alpha", MINUTE), proven("charlie", 5 * MINUTE))).toEqual([
    "  fence-bravo by charlie: seen well 5 min ago, counts for another 55 min",
  ]);
});

test("one node that cannot use it is more than all that can", () => {
  const failing = { ...proven("charlie", MINUTE), state: "failing", reason: "wrong password" } as const;
  expect(told(proven("alpha", 5 * MINUTE), failing)).toEqual([
    "  fence-bravo by charlie: seen well 60 s ago, counts for another 59 min, FAILING NOW",
  ]);
  const expired = { ...proven("alpha", 61 * MINUTE), state: "expired" } as const;
  expect(told(expired, failing)).toEqual(["  fence-bravo by alpha: seen well 61 min ago, TOO OLD, NOT PROVEN"]);
});

test("a new one, one without an end, and one that has really switched", () => {
  expect(told({ node: "alpha", device: "fence-bravo", state: "new" })).toEqual([
    "  fence-bravo by alpha: not seen yet",
  ]);
  const { expiresWallMs: _, ...endless } = proven("alpha", MINUTE);
  expect(told({ ...endless, switchedWallMs: NOW - 3 * 86_400_000 })).toEqual([
    "  fence-bravo by alpha: seen well 60 s ago; really switched 3 d ago",
  ]);
});
