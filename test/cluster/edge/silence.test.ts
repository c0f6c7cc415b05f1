/** A starved loop has not looked: that is no silence of the one who was asked. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createSilence } from "../../../src/cluster/edge/silence.ts";

const TURN_MS = 5;

test("turns are counted, not the time that one of them takes; an answer begins anew", async () => {
  const silence = createSilence(TURN_MS);
  silence.begin();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40 * TURN_MS);
  expect(silence.ms()).toBe(0);
  await new Promise(setImmediate);
  expect(silence.ms()).toBeLessThanOrEqual(2 * TURN_MS);
  while (silence.ms() < 10 * TURN_MS) await sleep(TURN_MS);
  silence.begin();
  expect(silence.ms()).toBe(0);
  silence.end();
  await sleep(4 * TURN_MS);
  expect(silence.ms()).toBe(0);
});
