/** A clock that stands still until somebody sleeps: hours of polling pass in no time. */
import type { Clock } from "../../src/fencing/core/driver.ts";

export interface VirtualClock extends Clock {
  /** Lets time pass for the device, as a call that takes its time. */
  advance(durationMs: number): void;
}

export function createVirtualClock(): VirtualClock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    advance(durationMs) {
      nowMs += durationMs;
    },
    sleep(durationMs) {
      nowMs += Math.max(0, durationMs);
      return Promise.resolve();
    },
  };
}
