/** A peer's clock as a witness of our own: what is a sleep, and what is only a delay. */
import { expect, test } from "vitest";
import {
  acceptSleep,
  advanceClock,
  elapsedMs,
  type PeerClock,
  sleptMs,
  UNKNOWN_CLOCK,
} from "../../../src/cluster/core/membership/peer-clock.ts";

/** Heartbeats as pairs of milliseconds: on the peer's clock since the one before, and on ours. */
const hear = (steps: readonly (readonly [number, number])[], from: PeerClock = UNKNOWN_CLOCK) =>
  steps.reduce((clock, [peerMs, ownMs]) => advanceClock(clock, peerMs, ownMs), from);

const steady = Array.from({ length: 100 }, () => [500, 500] as const);

test("a sleep of which our clock knows nothing shows at the next heartbeat, or along a burst of queued ones", () => {
  expect(sleptMs(hear([...steady, [8000, 300]]))).toBeCloseTo(7700, 0);
  const burst = Array.from({ length: 16 }, () => [500, 1] as const);
  expect(sleptMs(hear([...steady, ...burst]))).toBeGreaterThan(7900);
  expect(sleptMs(acceptSleep(hear([...steady, ...burst])))).toBe(0);
});

test("a delayed heartbeat is none, and its punctual successors are none either", () => {
  const delayed = hear([...steady, [500, 3500]]);
  expect(sleptMs(delayed)).toBeLessThanOrEqual(0);
  expect(sleptMs(hear([[500, 0]], delayed))).toBeLessThan(400);
  expect(
    sleptMs(
      hear(
        Array.from({ length: 6 }, () => [500, 0] as const),
        delayed,
      ),
    ),
  ).toBeLessThan(400);
});

test("clocks that differ by half a thousandth never add up to a sleep", () => {
  const day = Array.from({ length: 172_800 }, () => [500.25, 500] as const);
  expect(Math.abs(sleptMs(hear(day)))).toBeLessThan(1);
});

test("the peer's clock is told modulo 2^32", () => {
  expect(elapsedMs(4_294_967_200, 104)).toBe(200);
  expect(elapsedMs(104, 4_294_967_200)).toBe(-200);
});
