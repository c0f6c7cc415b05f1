/** The desk where DRBD's fence-peer handlers wait: each gets one answer, as soon as it is proven, never late. */
import { expect, test } from "vitest";
import {
  EMPTY_DESK,
  type FenceDesk,
  type FenceDeskEffect,
  type FenceDeskEvent,
  fenceDeskWakeAtMs,
  isProvenCurrent,
  type PeerSight,
  stepFenceDesk,
} from "../../../src/storage/core/fence-desk.ts";

const WAIT_MS = 20_000;

/** Answers each look with the disk at once, and lets time pass until nothing is due any more. */
function createDesk(disk: string, peer: PeerSight) {
  let desk: FenceDesk = EMPTY_DESK;
  let nowMs = 1_000;
  const effects: FenceDeskEffect[] = [];
  const step = (event: FenceDeskEvent) => {
    const stepped = stepFenceDesk(desk, event, nowMs);
    desk = stepped.state;
    for (const effect of stepped.effects) {
      effects.push(effect);
      if (effect.kind === "look") step({ kind: "looked", resource: effect.resource, disk });
    }
  };
  step({ kind: "peers", peers: [peer] });
  return {
    step,
    run(ms: number) {
      const endMs = nowMs + ms;
      for (let wakeMs = fenceDeskWakeAtMs(desk); wakeMs !== undefined && wakeMs <= endMs; ) {
        nowMs = Math.max(nowMs, wakeMs);
        step({ kind: "tick" });
        wakeMs = fenceDeskWakeAtMs(desk);
      }
      nowMs = endMs;
    },
    isProven: () => isProvenCurrent(desk, "r0", nowMs),
    told: (kind: FenceDeskEffect["kind"]) => effects.filter((effect) => effect.kind === kind),
  };
}

const LOST: PeerSight = { name: "bravo", phase: "lost", returned: false };
const MEMBER: PeerSight = { name: "bravo", phase: "member", returned: false };
const ASKED: FenceDeskEvent = { kind: "fence-peer", id: 1, resource: "r0", peer: undefined, waitMs: WAIT_MS };
const frozen = { name: "r0", isPrimary: true, isConnected: false, isUpToDate: true, isFrozen: true };
const restarted = { name: "r0", isPrimary: false, isConnected: false, isUpToDate: false, isFrozen: false };

test("a handler waits for the power to be read as off, and is told 7 then", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step(ASKED);
  desk.run(5_000);
  expect(desk.told("answer")).toEqual([]);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(1_000);
  expect(desk.told("answer")).toMatchObject([{ id: 1, code: 7 }]);
});

test("writes wait from the silence of a connected peer, or of all links to it, until DRBD goes on without it", () => {
  const desk = createDesk("UpToDate", MEMBER);
  const primary = { ...frozen, isConnected: true, isFrozen: false };
  desk.step({ kind: "resources", resources: [primary] });
  desk.step({ kind: "peers", peers: [{ ...MEMBER, isQuiet: true }] });
  desk.step({ kind: "peers", peers: [LOST] });
  desk.step({ kind: "resources", resources: [frozen] });
  desk.step(ASKED);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(1_000);
  desk.step({ kind: "resources", resources: [{ ...frozen, isFrozen: false }] });
  expect(desk.told("wait")).toMatchObject([{ wait: "silent" }, { wait: "frozen" }, { wait: "none" }]);
});

test("a Secondary writes nothing that could wait", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step({ kind: "resources", resources: [{ ...restarted, isConnected: true }] });
  expect(desk.told("wait")).toEqual([]);
});

test("nobody waits longer than the handler's time", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step(ASKED);
  desk.run(WAIT_MS + 300);
  expect(desk.told("answer")).toMatchObject([{ id: 1, code: 1 }]);
});

test("a frozen Primary that was told 'unsure' is let go on by a later proof, and once only", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step({ kind: "resources", resources: [frozen] });
  desk.step(ASKED);
  desk.run(WAIT_MS + 5_000);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(1_000);
  expect(desk.told("resume")).toMatchObject([{ resource: "r0" }]);
});

test("a proof that comes while the handler is ending is not lost", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step({ kind: "resources", resources: [frozen] });
  desk.step(ASKED);
  desk.run(WAIT_MS + 300);
  desk.step({ kind: "fenced", node: "bravo" });
  expect(desk.told("resume")).toEqual([]);
  desk.run(3_000);
  expect(desk.told("resume")).toHaveLength(1);
});

test("a proof from before DRBD was connected again proves nothing", () => {
  const desk = createDesk("UpToDate", LOST);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(1_000);
  desk.step({ kind: "resources", resources: [{ ...frozen, isConnected: true }] });
  desk.step(ASKED);
  desk.run(WAIT_MS + 300);
  expect(desk.told("answer")).toMatchObject([{ code: 1 }]);
});

test("a peer that lives is asked until it says something", () => {
  const desk = createDesk("UpToDate", MEMBER);
  desk.step(ASKED);
  desk.step({ kind: "word", id: 1, word: "unknown" });
  desk.run(2_000);
  expect(desk.told("ask-peer").length).toBeGreaterThan(1);
  desk.step({ kind: "word", id: 1, word: "outdated" });
  desk.run(500);
  expect(desk.told("answer")).toMatchObject([{ code: 4 }]);
});

test("a disk that is not current is answered at once: waiting makes it no better", () => {
  const desk = createDesk("Consistent", LOST);
  desk.step(ASKED);
  expect(desk.told("answer")).toMatchObject([{ code: 1 }]);
});

test("a disk that was current is so after a restart of its resource, once the peer is proven to be off", () => {
  const desk = createDesk("Consistent", LOST);
  desk.step({ kind: "resources", resources: [{ ...restarted, isConnected: true, isUpToDate: true }] });
  desk.run(5_000);
  desk.step({ kind: "resources", resources: [restarted] });
  expect(desk.isProven()).toBe(false);
  desk.step(ASKED);
  desk.run(5_000);
  expect(desk.told("answer")).toEqual([]);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(500);
  expect(desk.isProven()).toBe(true);
  expect(desk.told("answer")).toMatchObject([{ code: 7 }]);
});

test("a disk that became current after the peer had been read as off is not proven by that", () => {
  const desk = createDesk("Consistent", LOST);
  desk.step({ kind: "fenced", node: "bravo" });
  desk.run(1_000);
  desk.step({ kind: "resources", resources: [{ ...restarted, isConnected: true, isUpToDate: true }] });
  desk.step({ kind: "resources", resources: [restarted] });
  expect(desk.isProven()).toBe(false);
});
