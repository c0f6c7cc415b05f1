/** Where decisions are made: small ones in the loop, large ones beside it, and what happens when the thread is lost. */
import { afterEach, expect, test } from "vitest";
import { createDecider, createReader, type Decider, type DeciderLimits } from "../../../src/app/manager/schedule.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { largePair } from "../../support/large-pair.ts";

const NOW_WALL_MS = 1_700_000_000_000;
const lines: string[] = [];
let decider: Decider | undefined;
afterEach(() => {
  decider?.close();
  decider = undefined;
  lines.length = 0;
});
const open = (limits?: DeciderLimits) => {
  decider = createDecider((level, text) => lines.push(`${level}: ${text}`), limits);
  return decider;
};
const ALWAYS: DeciderLimits = { elementsInLoopMax: 10, workerHeapMaxMb: 64 };

/** Turns of the loop, as the keeper's and the manager's timers would see them, and the longest pause between two. */
async function watchLoop<Value>(work: () => Promise<Value>) {
  let [turns, longestMs, lastMs] = [0, 0, performance.now()];
  const beat = setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - lastMs);
    lastMs = now;
    turns += 1;
  }, 1);
  const value = await work();
  clearInterval(beat);
  return { value, turns, longestMs: Math.max(longestMs, performance.now() - lastMs) };
}

test("the loop goes on turning while the loss of a node with 1,000 resources is decided", async () => {
  const cib = largePair(1000);
  const { decide } = open();
  const beside = await watchLoop(() => decide(cib, NOW_WALL_MS, {}));
  expect(beside.value.transition.actions.length).toBeGreaterThan(3_000);
  expect(beside.value).toEqual(JSON.parse(JSON.stringify(schedule(cib, NOW_WALL_MS))));
  // In the loop there is not one turn; beside it there are those that the machine has time for.
  const within = await watchLoop(() => Promise.resolve(schedule(cib, NOW_WALL_MS)));
  expect(within.turns).toBe(0);
  expect(beside.turns).toBeGreaterThan(0);
  const warm = await watchLoop(() => decide(cib, NOW_WALL_MS, {}));
  const shown = [beside, warm, within].map(({ longestMs }) => `${longestMs.toFixed(0)} ms`);
  process.stdout.write(`longest pause of the loop: first ${shown[0]}, again ${shown[1]}, in the loop ${shown[2]}\n`);
  expect(lines).toEqual([]);
});

test("a small decision is there before any other turn of the loop", async () => {
  const { decide, isBusy } = open();
  const decision = decide(largePair(2), NOW_WALL_MS, {});
  expect(isBusy()).toBe(false);
  expect((await watchLoop(() => decision)).turns).toBe(0);
});

test("two questions at once are both answered, each with its own options", async () => {
  const cib = largePair(20);
  const { decide } = open(ALWAYS);
  const [with_, without] = await Promise.all([
    decide(cib, NOW_WALL_MS, { quorate: true }),
    decide(cib, NOW_WALL_MS, { quorate: false }),
  ]);
  expect(with_).toEqual(JSON.parse(JSON.stringify(schedule(cib, NOW_WALL_MS, { quorate: true }))));
  expect(without).toEqual(JSON.parse(JSON.stringify(schedule(cib, NOW_WALL_MS, { quorate: false }))));
});

test("a decision beyond the thread's memory is made in the loop, and said", async () => {
  const cib = largePair(1000);
  const { decide } = open({ elementsInLoopMax: 10, workerHeapMaxMb: 8 });
  const decision = await decide(cib, NOW_WALL_MS, {});
  expect(decision).toEqual(schedule(cib, NOW_WALL_MS));
  expect(lines).toEqual([expect.stringMatching(/^error: the scheduler's thread is lost \(.*memory/)]);
});

test("closed in the middle of a decision, it ends without an answer and without a complaint", async () => {
  const { decide, isBusy, close } = open(ALWAYS);
  void decide(largePair(100), NOW_WALL_MS, {});
  expect(isBusy()).toBe(true);
  close();
  expect(isBusy()).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([]);
});

test("who looks again at the same CIB costs no decision, until it or what time alone changes is another", async () => {
  const { transition, ...rest } = schedule(largePair(2), NOW_WALL_MS);
  const decided: number[] = [];
  const read = createReader((_, atWallMs) => {
    decided.push(atWallMs - NOW_WALL_MS);
    return Promise.resolve({ ...rest, transition: { ...transition, recheckAtWallMs: NOW_WALL_MS + 5_000 } });
  });
  const cib = largePair(2);
  // As the store gives it: made anew of the same parts.
  const anew = (numUpdates: string) => ({ ...cib, attributes: { ...cib.attributes, num_updates: numUpdates } });
  for (const atMs of [0, 1_000, 4_999]) await read(anew("1"), NOW_WALL_MS + atMs);
  expect(decided).toEqual([0]);
  await read(anew("1"), NOW_WALL_MS + 5_000);
  expect(decided).toEqual([0, 5_000]);
  await read(anew("2"), NOW_WALL_MS + 5_001);
  await read(
    { ...anew("2"), children: [...cib.children.slice(0, -1), { name: "status", attributes: {}, children: [] }] },
    NOW_WALL_MS + 5_001,
  );
  expect(decided).toEqual([0, 5_000, 5_001, 5_001]);
  // A wall clock that was set back.
  await read(anew("2"), NOW_WALL_MS - 1);
  await read(anew("2"), NOW_WALL_MS - 2);
  expect(decided).toEqual([0, 5_000, 5_001, 5_001, -1, -2]);
});
