/** A node that reads its mailboxes: what it obeys, and when it ends itself because it can no longer be told to. */
import { describe, expect, test } from "vitest";
import {
  createPoisonWatch,
  objectToPromise,
  type PoisonWatchEffect,
  type PoisonWatchEvent,
  poisonWakeAtMs,
  stepPoisonWatch,
} from "../../src/fencing/core/poison-watch.ts";
import type { PoisonHeader } from "../../src/hw/core/poison/format.ts";

const HEADER: PoisonHeader = {
  uuid: "0".repeat(32),
  slotCount: 255,
  sectorBytes: 512,
  watchdogMs: 5_000,
  allocateMs: 2_000,
  loopMs: 1_000,
  msgwaitMs: 10_000,
};
const clear = { command: "clear", from: "" } as const;

/** Runs on a virtual clock; `answer` says what a read of a disk brings, and when. */
function live(
  disks: number,
  answer: (disk: number, nowMs: number) => { readonly afterMs: number; readonly event: PoisonWatchEvent } | "never",
  untilMs: number,
): readonly { readonly atMs: number; readonly effect: PoisonWatchEffect }[] {
  const headers = Array.from({ length: disks }, () => HEADER);
  let state = createPoisonWatch(
    headers.map((_, index) => `/dev/d${index}`),
    headers,
    0,
  );
  const seen: { atMs: number; effect: PoisonWatchEffect }[] = [];
  let coming: { atMs: number; event: PoisonWatchEvent }[] = [];
  let nowMs = 0;
  const step = (event: PoisonWatchEvent) => {
    const stepped = stepPoisonWatch(state, event, nowMs);
    state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "read") {
        const said = answer(effect.disk, nowMs);
        if (said !== "never") coming.push({ atMs: nowMs + said.afterMs, event: said.event });
      } else seen.push({ atMs: nowMs, effect });
      if (effect.kind === "clear") coming.push({ atMs: nowMs + 1, event: { kind: "cleared", disk: effect.disk } });
    }
  };
  step({ kind: "tick" });
  for (;;) {
    const [next] = coming.toSorted((left, right) => left.atMs - right.atMs);
    const wakeAtMs = poisonWakeAtMs(state);
    const atMs = Math.min(next?.atMs ?? Infinity, wakeAtMs ?? Infinity);
    if (atMs > untilMs) return seen;
    nowMs = Math.max(nowMs, atMs);
    if (next?.atMs === atMs) coming = coming.filter((each) => each !== next);
    step(next?.atMs === atMs ? next.event : { kind: "tick" });
  }
}

const quiet = (disk: number) => ({ afterMs: 1, event: { kind: "read", disk, mailbox: clear } }) as const;

test("reads once a loop and does nothing while nobody writes", () => {
  expect(live(1, quiet, 60_000)).toEqual([]);
});

test.each([
  ["reset", "reset"],
  ["off", "off"],
  ["crashdump", "reset"],
] as const)("%s ends the machine within one loop", (command, how) => {
  const written = (disk: number, nowMs: number) =>
    nowMs < 20_500 ? quiet(disk) : { afterMs: 1, event: { kind: "read", disk, mailbox: { command, from: "bravo" } } };
  const seen = live(1, written as typeof quiet, 60_000);
  expect(seen).toEqual([{ atMs: 21_001, effect: expect.objectContaining({ kind: "end-machine", how }) }]);
});

test("test is answered by clearing it, exit by leaving; neither ends the machine", () => {
  for (const command of ["test", "exit"] as const) {
    const written = (disk: number, nowMs: number) =>
      nowMs === 3_000 ? { afterMs: 1, event: { kind: "read", disk, mailbox: { command, from: "root" } } } : quiet(disk);
    const kinds = live(1, written as typeof quiet, 20_000).map(({ effect }) => effect.kind);
    expect(kinds).toEqual(["clear", command === "exit" ? "leave" : "log"]);
  }
});

describe("a node that cannot read its mailbox ends within the promised time", () => {
  test("the only disk hangs", () => {
    const seen = live(1, (disk, nowMs) => (nowMs < 10_000 ? quiet(disk) : "never"), 60_000);
    expect(seen).toEqual([{ atMs: 14_000, effect: expect.objectContaining({ kind: "end-machine", how: "reset" }) }]);
  });

  test("the only disk answers, but what it answers was asked too long ago", () => {
    const late = (disk: number) => ({ afterMs: 5_500, event: { kind: "read", disk, mailbox: clear } }) as const;
    expect(live(1, late, 60_000).at(-1)?.atMs).toBe(5_000);
  });

  test("the only disk fails: it is told once, then it ends", () => {
    const failing = (disk: number, nowMs: number) =>
      nowMs < 10_000 ? quiet(disk) : ({ afterMs: 1, event: { kind: "failed", disk, reason: "EIO" } } as const);
    expect(live(1, failing, 60_000).map(({ effect }) => effect.kind)).toEqual(["log", "end-machine"]);
  });

  test("one of three may go; two may not; a kill on one that is still read is obeyed", () => {
    const without = (gone: readonly number[]) => (disk: number, nowMs: number) =>
      gone.includes(disk) && nowMs > 2_000 ? "never" : quiet(disk);
    expect(live(3, without([1]), 60_000)).toEqual([]);
    expect(live(3, without([1, 2]), 60_000).at(-1)?.effect.kind).toBe("end-machine");
    const killed = (disk: number, nowMs: number) => {
      if (disk === 0) return "never";
      const mailbox = { command: disk === 2 && nowMs > 5_000 ? "off" : "clear", from: "bravo" } as const;
      return { afterMs: 1, event: { kind: "read", disk, mailbox } } as const;
    };
    expect(live(3, killed, 60_000)).toMatchObject([{ atMs: 6_001, effect: { kind: "end-machine", how: "off" } }]);
  });
});

test("a watchdog that is slower than the disks promise is refused", () => {
  expect(objectToPromise([HEADER], 5_000)).toBeUndefined();
  expect(objectToPromise([HEADER, { ...HEADER, watchdogMs: 3_000 }, HEADER], 5_000)).toContain("within 3 s");
});
