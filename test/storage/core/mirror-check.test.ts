/** Disks that call themselves UpToDate and are not the same, as DRBD 8.4 has told of them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type DrbdState, parseDrbdEvent, stepDrbdState } from "../../../src/storage/core/drbd-events.ts";
import { confirmedDoubt, mirrorDoubt, NO_MIRROR_DOUBT, noteLook } from "../../../src/storage/core/mirror-check.ts";

// Transcript 01-bring-up, step 12: a Secondary, connected. In the second the bitmap UUID has been left behind.
const CLEAN = "EACD8A39F6DB0F56:0000000000000000:0F8317574932FDAC:0000000000000004:1:1:0:1:0:0:0\n";
const LEFT = "EACD8A39F6DB0F56:0F8317574932FDAC:0000000000000004:0000000000000000:1:1:0:1:0:0:0\n";

/** The states that node a went through while a bad block was found by verify and mended by a reconnect. */
function statesOfVerify(): readonly DrbdState[] {
  const file = path.join(import.meta.dirname, "../transcripts/15-verify.txt");
  const lines = readFileSync(file, "utf8").split("\n");
  const from = lines.indexOf("======== a: stream of drbdsetup events2 --timestamps --statistics");
  const states: DrbdState[] = [];
  for (const line of lines.slice(from + 1)) {
    if (line.startsWith("========")) break;
    const event = parseDrbdEvent(line);
    if (event !== undefined) states.push(stepDrbdState(states.at(-1) ?? {}, event));
  }
  return states;
}

describe("the doubt", () => {
  const whole = statesOfVerify().at(-1)?.["r0"];
  if (whole === undefined) throw new Error("the transcript ends without r0");

  test("follows the blocks that verify found, until they are copied", () => {
    const told = statesOfVerify().map((state) => {
      const doubt = state["r0"] === undefined ? undefined : mirrorDoubt(state["r0"], CLEAN);
      return doubt?.kind === "out-of-sync" ? `${doubt.behindKib} KiB` : "none";
    });
    expect(told.filter((text, index) => text !== told[index - 1])).toEqual(["none", "4 KiB", "none"]);
  });

  test("is there when a connected resource has a bitmap UUID", () => {
    expect(mirrorDoubt(whole, CLEAN)).toBeUndefined();
    expect(mirrorDoubt(whole, LEFT)).toEqual({ kind: "bitmap-left" });
    // One volume of two is enough.
    expect(mirrorDoubt(whole, CLEAN + LEFT)).toEqual({ kind: "bitmap-left" });
  });

  test("is none of a resource whose peer is away or being copied to: that is told otherwise", () => {
    const [connection] = Object.values(whole.connections);
    if (connection === undefined) throw new Error("r0 has no connection");
    const cut = { ...whole, connections: { 0: { ...connection, connection: "Connecting" } } };
    const volumes = { 0: { number: 0, replication: "SyncSource", disk: "Inconsistent", outOfSyncKib: 8 } };
    const copying = { ...whole, connections: { 0: { ...connection, volumes } } };
    expect([mirrorDoubt(cut, LEFT), mirrorDoubt(copying, LEFT)]).toEqual([undefined, undefined]);
  });
});

test("a doubt is told when two looks in a row have it, and taken back by one that has none", () => {
  const left = { kind: "bitmap-left" } as const;
  const once = noteLook(NO_MIRROR_DOUBT, left);
  expect(confirmedDoubt(once)).toBeUndefined();
  const twice = noteLook(once, left);
  expect(confirmedDoubt(twice)).toEqual(left);
  // Another kind begins anew.
  expect(confirmedDoubt(noteLook(twice, { kind: "out-of-sync", behindKib: 4 }))).toBeUndefined();
  expect(confirmedDoubt(noteLook(twice, undefined))).toBeUndefined();
});
