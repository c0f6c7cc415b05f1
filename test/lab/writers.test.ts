/** Two writers are found when they were there, and not when two answers only lie side by side. */
import { expect, test } from "vitest";
import type { NodeName } from "../../lab/names.ts";
import { readSeen, type Sample } from "../../lab/watch/sample.ts";
import { addSample, addSender, NO_WRITERS } from "../../lab/watch/writers.ts";

const PRIMARY = `version: 8.4.11 (api:1/proto:86-101)
 0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/Outdated C r-----
    ns:0 nr:20 dw:12320 dr:141 al:3 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:24
local 10.11.0.100
/dev/drbd0 /srv/records ext4 rw,noatime 0 0
`;

test("a node's answer is read", () => {
  expect(readSeen(PRIMARY)).toEqual({
    drbdRole: "Primary",
    connection: "WFConnection",
    disk: "UpToDate",
    peerDisk: "Outdated",
    isSuspended: false,
    hasVirtualAddress: true,
    isMounted: true,
  });
  expect(readSeen(PRIMARY.replace(" r-----", " s---d-")).isSuspended).toBe(true);
  expect(readSeen("").drbdRole).toBeUndefined();
  expect(readSeen(PRIMARY.replace("local 10.11.0.100", "local 10.11.0.1000")).hasVirtualAddress).toBe(false);
});

/** `alpha 100 Primary`: asked at 100, answered at 150. */
function violationsOf(...lines: readonly string[]): readonly string[] {
  let state = NO_WRITERS;
  for (const line of lines) {
    const [node, at, role] = line.split(" ");
    const askedAtMs = Number(at);
    const seen = { drbdRole: role ?? "", isSuspended: false, hasVirtualAddress: false, isMounted: false };
    const name: NodeName = node === "alpha" ? "alpha" : "bravo";
    const sample: Sample = { node: name, askedAtMs, answeredAtMs: askedAtMs + 50, power: "on" };
    state = addSample(state, role === "silent" ? sample : { ...sample, seen });
  }
  return state.violations.map(({ what }) => what);
}

test("Primary before and after the other's Primary: two at once", () => {
  expect(violationsOf("alpha 0 Primary", "bravo 100 Primary", "alpha 200 Primary")).toEqual([
    "both nodes are DRBD Primary",
  ]);
});

test("a role that is handed over between two answers is no violation", () => {
  expect(violationsOf("alpha 0 Primary", "bravo 100 Primary", "alpha 200 Secondary", "bravo 300 Primary")).toEqual([]);
});

test("a node that gave no answer proves nothing", () => {
  expect(violationsOf("alpha 0 Primary", "bravo 100 Primary", "alpha 200 silent", "bravo 300 Primary")).toEqual([]);
});

test("answers far apart prove nothing: the node may have stopped and started in between", () => {
  expect(violationsOf("alpha 0 Primary", "bravo 100 Primary", "alpha 60000 Primary")).toEqual([]);
});

test("two senders that take turns on the virtual address are two", () => {
  const turns = (...atMs: readonly number[]) =>
    atMs.reduce((state, at, index) => addSender(state, index % 2 === 0 ? "mac-a" : "mac-b", at), NO_WRITERS);
  expect(turns(0, 100, 200).violations).toHaveLength(1);
  expect(turns(0, 10_000, 60_000).violations).toEqual([]);
  expect(addSender(turns(0), "mac-a", 50).violations).toEqual([]);
});
