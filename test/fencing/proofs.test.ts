/** Dated proofs and kept certificates: their cores, and the file that carries them over a restart. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ARCHIVE_MAX, mergeRecords } from "../../src/fencing/core/archive.ts";
import type { FencingRecord } from "../../src/fencing/core/fencer-state.ts";
import {
  createProofs,
  isExpired,
  type Proof,
  type ProofEffect,
  type ProofEvent,
  proofsWakeAtMs,
  stepProofs,
} from "../../src/fencing/core/proofs.ts";
import { isListOf, openRecordFile } from "../../src/fencing/edge/record-file.ts";

const MINUTE = 60_000;
const times = { intervalMs: 10 * MINUTE, expiryMs: 60 * MINUTE };
/** The wall clock is another one than the monotonic clock. */
const WALL_OFFSET = 1_700_000_000_000;

/** Looks answer at once with what `answer` says for that minute. */
function live(answer: (device: string, minute: number) => string | undefined, untilMs: number, stored: Proof[] = []) {
  let state = createProofs(stored);
  const story: string[] = [];
  const looks: number[] = [];
  let nowMs = 0;
  const step = (event: ProofEvent): void => {
    const stepped = stepProofs(state, event, nowMs, nowMs + WALL_OFFSET);
    state = stepped.state;
    for (const effect of stepped.effects) perform(effect);
  };
  const perform = (effect: ProofEffect): void => {
    if (effect.kind === "log") story.push(`${Math.floor(nowMs / MINUTE)} ${effect.severity}: ${effect.text}`);
    if (effect.kind !== "look") return;
    looks.push(nowMs);
    step({ kind: "seen", device: effect.device, action: "status", failure: answer(effect.device, nowMs / MINUTE) });
  };
  step({ kind: "configure", devices: ["a"], times });
  for (let wakeAtMs = proofsWakeAtMs(state); wakeAtMs !== undefined && wakeAtMs <= untilMs; ) {
    nowMs = Math.max(nowMs, wakeAtMs);
    step({ kind: "tick" });
    wakeAtMs = proofsWakeAtMs(state);
  }
  return { state, story, looks };
}

describe("proofs", () => {
  test("a device that answers is looked at every interval, and nothing is said", () => {
    const { looks, story, state } = live(() => undefined, 60 * MINUTE);
    expect(looks.length).toBe(6);
    expect(story).toEqual([]);
    expect(state.proofs[0]?.provenWallMs).toBe((looks.at(-1) ?? 0) + WALL_OFFSET);
  });

  test("a password that expires is told within an interval, its end once as an alert, its return as well", () => {
    const { story, state } = live(
      (_, minute) => (minute > 30 && minute < 200 ? "wrong password" : undefined),
      300 * MINUTE,
    );
    expect(story).toEqual([
      expect.stringMatching(/^30 error: fencing device a could not fence now: wrong password/),
      expect.stringMatching(/^80 error: ALERT: fencing by a is not proven any more: wrong password/),
      expect.stringMatching(/^20\d info: a answers again/),
    ]);
    expect(state.proofs[0]?.failing).toBeUndefined();
  });

  test("a failing device is asked again sooner, but not so often that its account is locked", () => {
    expect(live(() => "no route", 60 * MINUTE).looks.length).toBeLessThanOrEqual(31);
  });

  test("a device that never answered counts as not proven with its first failure", () => {
    const { story, state } = live(() => "no route", MINUTE);
    expect(story[1]).toContain("ALERT");
    expect(state.proofs.map((proof) => isExpired(proof, times, WALL_OFFSET))).toEqual([true]);
  });

  test("proofs of devices that are gone are forgotten, those of an earlier manager count", () => {
    const old: Proof = { device: "a", provenWallMs: WALL_OFFSET - MINUTE, switchedWallMs: 5, failing: undefined };
    const { state } = live(() => "no route", MINUTE, [old, { ...old, device: "gone" }]);
    expect(state.proofs.map(({ device, switchedWallMs }) => [device, switchedWallMs])).toEqual([["a", 5]]);
    expect(isExpired(state.proofs[0] ?? old, times, WALL_OFFSET + MINUTE)).toBe(false);
  });

  test("only an off counts as switched", () => {
    let state = createProofs([]);
    const step = (event: ProofEvent) => {
      state = stepProofs(state, event, 0, WALL_OFFSET).state;
    };
    step({ kind: "configure", devices: ["a"], times });
    step({ kind: "seen", device: "a", action: "on", failure: undefined });
    expect(state.proofs[0]?.switchedWallMs).toBeUndefined();
    step({ kind: "seen", device: "a", action: "off", failure: undefined });
    expect(state.proofs[0]?.switchedWallMs).toBe(WALL_OFFSET);
  });
});

function record(node: string, id: number, startedWallMs: number): FencingRecord {
  const outcome = { kind: "confirmed", power: "off" } as const;
  return { node, id, target: "alpha", action: "off", outcome, devices: [], by: [], startedWallMs, endedWallMs: 0 };
}

test("certificates of two nodes are merged, each once, oldest first, and bounded", () => {
  const own = [record("alpha", 1, 10), record("alpha", 2, 30)];
  const merged = mergeRecords(own, [record("bravo", 1, 20), record("alpha", 2, 30)]);
  expect(merged.map(({ node, startedWallMs }) => `${node} ${startedWallMs}`)).toEqual([
    "alpha 10",
    "bravo 20",
    "alpha 30",
  ]);
  expect(mergeRecords(own, own)).toBe(own);
  const many = Array.from({ length: ARCHIVE_MAX + 5 }, (_, at) => record("bravo", at, at));
  expect(
    mergeRecords([], many)
      .map(({ id }) => id)
      .slice(0, 1),
  ).toEqual([5]);
});

describe("the file", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-records-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const told: string[] = [];
  const open = (name: string) =>
    openRecordFile(path.join(directory, name), isListOf<Proof>("device"), (why) => told.push(why));

  test("keeps the newest of many values, for the next manager", async () => {
    const file = open("a/b.json");
    expect([file.stored, file.damage]).toEqual([undefined, undefined]);
    for (let at = 0; at < 50; at++)
      file.keep([{ device: String(at), provenWallMs: at, switchedWallMs: undefined, failing: undefined }]);
    await file.settled();
    expect(open("a/b.json").stored?.map(({ device }) => device)).toEqual(["49"]);
  });

  test.each([
    ["torn", '[{"dev'],
    ["of another shape", '{"device":1}'],
  ])("that is %s is told and begun anew", async (_, text) => {
    writeFileSync(path.join(directory, "bad.json"), text);
    const file = open("bad.json");
    expect([file.stored, file.damage]).toEqual([undefined, expect.stringContaining("begun anew")]);
    file.keep([]);
    await file.settled();
    expect(readFileSync(path.join(directory, "bad.json"), "utf8")).toBe("[]");
  });

  test("that cannot be written is told, and nothing waits for it", async () => {
    writeFileSync(path.join(directory, "folder"), "");
    const file = open("folder/x.json");
    file.keep([]);
    await file.settled();
    expect(told.join()).toContain("cannot be written");
  });
});
