/** DRBD's event streams, as real kernels of 8.4 and 9.2 have told them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  type DrbdResource,
  type DrbdState,
  localDisk,
  parseDrbdEvent,
  peerDisk,
  readDrbdState,
  stepDrbdState,
  worstDisk,
} from "../../../src/storage/core/drbd-events.ts";
import { promotionOf } from "../../../src/storage/core/promotion.ts";
import { fc } from "../../support/repeatable.ts";

const TRANSCRIPTS = path.join(import.meta.dirname, "../transcripts");
const read = (name: string) => readFileSync(path.join(TRANSCRIPTS, name), "utf8");

/** The lines of one node's stream in a transcript. */
function stream(name: string, node: string): readonly string[] {
  const lines = read(name).split("\n");
  const from = lines.indexOf(`======== ${node}: stream of drbdsetup events2 --timestamps --statistics`);
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => line.startsWith("========"));
  return rest.slice(0, to).filter((line) => line !== "");
}

/** Each state in short, when it differs from the one before. */
function tell(lines: readonly string[]): readonly string[] {
  let state: DrbdState = {};
  const told: string[] = [];
  for (const line of lines) {
    const event = parseDrbdEvent(line);
    if (event === undefined) continue;
    if (event.kind === "helper-answered") told.push(`${event.helper} answered ${event.code}`);
    state = stepDrbdState(state, event);
    const [resource] = Object.values(state);
    const short = resource === undefined ? "absent" : inShort(resource);
    if (told.findLast((word) => !word.includes("answered")) !== short) told.push(short);
  }
  return told;
}

function inShort(resource: DrbdResource): string {
  const [connection] = Object.values(resource.connections);
  const peer = connection === undefined ? "-" : `${connection.connection}:${peerDisk(connection)}`;
  const frozen = resource.suspended === "no" ? "" : ` frozen:${resource.suspended}`;
  return `${resource.role} ${localDisk(resource)} ${peer}${frozen}`;
}

describe("streams of 8.4", () => {
  test("a Primary that is cut freezes, is told that the peer was fenced, and goes on", () => {
    const told = tell(stream("25-fence-stonith-ok.txt", "a"));
    const cut = told.findIndex((word) => word.includes("frozen:fencing"));
    expect(told.slice(cut)).toEqual(
      expect.arrayContaining([
        "Primary UpToDate Connecting:DUnknown frozen:fencing",
        "fence-peer answered 7",
        "Primary UpToDate Connecting:Outdated",
      ]),
    );
    expect(told.indexOf("Primary UpToDate Connecting:Outdated")).toBeGreaterThan(told.indexOf("fence-peer answered 7"));
  });

  test("a handler that is unsure leaves it frozen", () => {
    const told = tell(stream("27-fence-stonith-fails.txt", "a"));
    const answered = told.indexOf("fence-peer answered 1");
    expect(answered).toBeGreaterThan(0);
    expect(told[answered - 1]).toContain("frozen:fencing");
  });

  test("a bring-up ends with two good disks, and a down with nothing", () => {
    const told = tell(stream("01-bring-up.txt", "a"));
    expect(told).toContain("Primary UpToDate Connected:UpToDate");
    expect(told.at(-1)).toBe("absent");
  });
});

test("a stream of 9.2 gives the peer's name", () => {
  let state: DrbdState = {};
  const names = new Set<string>();
  for (const line of stream("9.2/01-bring-up.txt", "a")) {
    const event = parseDrbdEvent(line);
    if (event !== undefined) state = stepDrbdState(state, event);
    for (const { peer } of Object.values(state["r0"]?.connections ?? {})) names.add(peer);
  }
  expect([...names]).toEqual(["b"]);
});

test("what a stream adds up to is what DRBD itself says", () => {
  for (const name of readdirSync(TRANSCRIPTS).filter((file) => file.endsWith(".txt"))) {
    const blocks = read(name).matchAll(/--- \w+ \$ drbdsetup events2 --now r0\n([\s\S]*?)--- exit 0/g);
    for (const [, block = ""] of blocks) {
      const state = readDrbdState(block);
      expect(Object.keys(state)).toEqual(block.includes("exists resource") ? ["r0"] : []);
    }
  }
});

test.each([
  ["exists -", { kind: "settled" }],
  ["2026-11-21T02:28:01.958408+00:00 exists -", { kind: "settled" }],
  ["call helper name:r0 helper:split-brain", { kind: "helper-called", resource: "r0", helper: "split-brain" }],
  [
    "response helper name:r0 helper:fence-peer status:1792",
    { kind: "helper-answered", resource: "r0", helper: "fence-peer", code: 7 },
  ],
  [
    "response helper name:r0 helper:fence-peer status:9",
    { kind: "helper-answered", resource: "r0", helper: "fence-peer", code: 137 },
  ],
  ["rename resource name:a new_name:b", { kind: "renamed" }],
  ["Unknown key 'x'", undefined],
  ["", undefined],
])("%j is %j", (line, event) => {
  expect(parseDrbdEvent(line)).toEqual(event);
});

test("a change line without fields changes nothing", () => {
  const before = readDrbdState("exists resource name:r0 role:Primary suspended:no\nexists -\n");
  const event = parseDrbdEvent("change resource name:r0");
  expect(event && stepDrbdState(before, event)).toEqual(before);
});

test("a resource is as good as its worst volume", () => {
  expect(worstDisk(["UpToDate", "Inconsistent", "Consistent"])).toBe("Inconsistent");
  expect(worstDisk(["UpToDate", "NewlyInvented"])).toBe("NewlyInvented");
  expect(worstDisk([])).toBe("Diskless");
});

describe("promotion", () => {
  const state = (role: string, disk: string, connection: string, peer: string) =>
    readDrbdState(`exists resource name:r0 role:${role} suspended:no
exists connection name:r0 peer-node-id:0 conn-name:peer connection:${connection} role:Unknown
exists device name:r0 volume:0 minor:0 disk:${disk}
exists peer-device name:r0 peer-node-id:0 conn-name:peer volume:0 replication:Off peer-disk:${peer}`)["r0"];

  test.each([
    ["Secondary", "UpToDate", "Connected", "UpToDate", 10_000],
    ["Secondary", "UpToDate", "Connecting", "Outdated", 10_000],
    ["Secondary", "UpToDate", "Connecting", "DUnknown", 10_000],
    ["Primary", "UpToDate", "Connecting", "DUnknown", 10_000],
    ["Secondary", "Inconsistent", "Connected", "UpToDate", 10],
    ["Secondary", "Diskless", "Connected", "UpToDate", 10],
    ["Secondary", "Inconsistent", "Connecting", "UpToDate", undefined],
    ["Secondary", "Consistent", "Connecting", "DUnknown", undefined],
    ["Secondary", "Outdated", "Connecting", "DUnknown", undefined],
  ])("%s with disk %s, peer %s:%s has the score %s", (role, disk, connection, peer, score) => {
    const resource = state(role, disk, connection, peer);
    expect(resource && promotionOf(resource).score).toBe(score);
  });

  test("the node that boots alone with old data has no score in the recorded run", () => {
    const told = stream("33-stale-boot-fencing.txt", "b");
    let current: DrbdState = {};
    const alone: unknown[] = [];
    for (const line of told) {
      const event = parseDrbdEvent(line);
      if (event !== undefined) current = stepDrbdState(current, event);
      const resource = current["r0"];
      if (event?.kind === "helper-answered" && resource !== undefined) alone.push(promotionOf(resource).score);
    }
    expect(alone).toContain(undefined);
    expect(alone).not.toContain(10_000);
  });
});

test("no line makes the reader fail", () => {
  const words = fc.constantFrom(
    "exists",
    "change",
    "destroy",
    "resource",
    "device",
    "peer-device",
    "name:r0",
    "disk:x",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string({ maxLength: 8 })), { maxLength: 8 }), (line) => {
      expect(readDrbdState(line.join(" "))).toBeDefined();
    }),
  );
});
