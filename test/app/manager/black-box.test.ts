/** The black box beside what may happen to it: deaths in the middle of a line, lost segments, a core that breaks. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBlackBox, segmentFiles, sha256 } from "../../../src/app/manager/black-box.ts";
import { NODE_TOOLS } from "../../../src/app/manager/manager.ts";
import {
  createNode,
  type NodeEvent,
  type NodeState,
  stepNode,
} from "../../../src/cluster/core/controller/node-core.ts";
import { replay } from "../../../src/cluster/core/journal/replay.ts";

const MIB = 1024 * 1024;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "gemel-box-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const freshNode = () =>
  createNode(
    {
      self: "alpha",
      incarnation: "only-for-this-test",
      session: 1,
      actionLimit: 4,
      stored: undefined,
      nodes: [
        { id: "1", name: "alpha" },
        { id: "2", name: "bravo" },
      ],
      fenced: {},
      begun: [],
      kept: undefined,
    },
    0,
  );

const noted = (value: string): NodeEvent => ({
  kind: "report",
  changes: [{ kind: "set-attribute", node: "alpha", name: "p", value }],
});

/** A start of a manager that takes these events. */
async function live(events: readonly NodeEvent[], state: NodeState = freshNode()): Promise<void> {
  const box = openBlackBox(folder, () => {});
  let node = state;
  for (const [index, event] of events.entries()) {
    const now = { nowMs: index, nowWallMs: 1_000_000 + index };
    const { state: after, effects } = stepNode(node, event, now, NODE_TOOLS);
    box.note(node, event, now, effects);
    node = after;
  }
  await box.flush();
}

const play = () =>
  replay(
    segmentFiles(folder).map((file) => readFileSync(file, "utf8")),
    { step: (state, event, now) => stepNode(state, event, now, NODE_TOOLS), hash: sha256 },
  );

test("starts that were killed in the middle of a line, or before their first one, break no chain", async () => {
  await live([noted("1"), noted("2")]);
  appendFileSync(segmentFiles(folder).at(-1) ?? "", '{"kind":"event","at":{"nowMs"');
  await live([noted("3")]);
  // It was killed between the making of the file and its first line; the next one in the middle of it.
  writeFileSync(path.join(folder, "journal-00000003.jsonl"), "");
  writeFileSync(path.join(folder, "journal-00000004.jsonl"), '{"kind":"snapshot","format":');
  await live([noted("4"), noted("5")]);
  expect(play()).toMatchObject({
    kind: "same",
    eventCount: 5,
    reason: "2 unfinished lines, where the process ended",
  });
});

test("a segment, or the last lines of one, that are missing show", async () => {
  for (const value of ["1", "2", "3"]) await live([noted(value), noted(`${value}!`)]);
  const [, second = ""] = segmentFiles(folder);
  const text = readFileSync(second, "utf8");
  writeFileSync(second, text.split("\n").slice(0, -2).join("\n").concat("\n"));
  expect(play()).toMatchObject({ kind: "broken", reason: expect.stringContaining("are missing") });
  rmSync(second);
  expect(play()).toMatchObject({ kind: "broken", reason: expect.stringContaining("are missing") });
});

test("the place of the damage is its segment and the line in it; segments in another order are damage", async () => {
  for (const value of ["1", "2", "3"]) await live([noted(value), noted(`${value}!`)]);
  const [first = "", second = "", third = ""] = segmentFiles(folder);
  const text = readFileSync(third, "utf8");
  writeFileSync(third, text.replace(`"value":"3!"`, `"value":"4!"`));
  expect(play()).toMatchObject({ kind: "broken", eventCount: 5, atSegment: 2, atLine: 3 });
  writeFileSync(third, text.split("\n").slice(1).join("\n"));
  const tools = { step: stepNode as never, hash: sha256 };
  const texts = [first, second, third].map((file) => readFileSync(file, "utf8"));
  expect(replay(texts.slice(2), tools)).toMatchObject({ kind: "broken", eventCount: 0, atLine: 1 });
  expect(replay(texts.slice(2), tools).reason).toMatch(/^it does not begin with a state: lines before/);
  const [one = "", two = ""] = texts;
  expect(replay([two, one], { ...tools, step: (state) => ({ state, effects: [] }) }).kind).not.toBe("same");
  writeFileSync(second, one);
  writeFileSync(first, two);
  writeFileSync(third, "");
  expect(play()).toMatchObject({ kind: "broken", atSegment: 1, atLine: 1, reason: expect.stringContaining("missing") });
});

test("what breaks the core is kept, breaks it again at the same place, and is told if it no longer does", async () => {
  const box = openBlackBox(folder, () => {});
  const now = { nowMs: 1, nowWallMs: 1 };
  const node = freshNode();
  const { state, effects } = stepNode(node, noted("1"), now, NODE_TOOLS);
  box.note(node, noted("1"), now, effects);
  const breaking = { kind: "no such event" } as unknown as NodeEvent;
  expect(() => stepNode(state, breaking, now, NODE_TOOLS)).toThrow();
  // The first line is still on its way; this one is on disk when the call returns.
  box.noteFault(state, breaking, now);
  const fault = readFileSync(segmentFiles(folder).at(-1) ?? "", "utf8");
  expect(fault).toContain("no such event");
  await box.flush();
  // An operator's request that breaks the core is refused, and the manager goes on.
  box.note(state, noted("2"), now, stepNode(state, noted("2"), now, NODE_TOOLS).effects);
  await box.flush();
  expect(play()).toMatchObject({
    kind: "same",
    eventCount: 3,
    reason: expect.stringContaining("the core breaks over"),
  });
  const mended = replay([fault], { step: (same) => ({ state: same, effects: [] }), hash: sha256 });
  expect(mended).toMatchObject({ kind: "different", reason: expect.stringContaining("does not any more") });
});

test("a journal of another program is told, and does not break the replay", async () => {
  await live([noted("1")]);
  const report = replay([readFileSync(segmentFiles(folder)[0] ?? "", "utf8")], {
    step() {
      throw new Error("a part of the state is not there");
    },
    hash: sha256,
  });
  expect(report).toMatchObject({ kind: "different", atLine: 2 });
  expect(report.reason).toMatch(/a part of the state is not there \(the journal was written by gemel /);
});

test("a manager that dies over and over keeps how it came to that; beyond its bound the oldest goes", async () => {
  for (let start = 1; start <= 30; start += 1) await live([noted(String(start))]);
  expect(segmentFiles(folder)).toHaveLength(30);
  for (const name of readdirSync(folder).slice(0, 8)) writeFileSync(path.join(folder, name), "x".repeat(8 * MIB));
  await live([noted("last")]);
  const bytes = segmentFiles(folder).reduce((sum, file) => sum + statSync(file).size, 0);
  expect(bytes).toBeLessThanOrEqual(48 * MIB);
  expect(segmentFiles(folder).length).toBeGreaterThan(22);
});

const ENDED = {
  kind: "finished",
  outcome: { kind: "exit", code: 0 },
  exitReason: "",
  attributes: [],
  execMs: 1,
  endedWallMs: 1,
} as const;

test("on a small disk half of the room is left to the configuration", async () => {
  const [DISK, VALUE] = [3 * MIB, "x".repeat(20_000)];
  const own = () => segmentFiles(folder).reduce((sum, file) => sum + statSync(file).size, 0);
  const box = openBlackBox(
    folder,
    () => {},
    () => DISK - own(),
  );
  let node = freshNode();
  for (let turn = 0; turn < 300; turn += 1) {
    // Nobody waits for its end: the state does not grow by it.
    const event: NodeEvent = { ...ENDED, callId: 1_000 + turn, output: VALUE };
    const now = { nowMs: turn, nowWallMs: turn };
    const { state, effects } = stepNode(node, event, now, NODE_TOOLS);
    box.note(node, event, now, effects);
    node = state;
    if (turn % 10 === 0) await box.flush();
    expect(own()).toBeLessThan(DISK / 2 + MIB / 4);
  }
  await box.flush();
  expect(own()).toBeGreaterThan(MIB / 2);
  expect(segmentFiles(folder).length).toBeGreaterThan(2);
  expect(play()).toMatchObject({ kind: "same", reason: "" });
});
