/**
 * What the machine's clocks say of each other. The monotonic clock, by which everything here is timed, stands still
 * while the machine is suspended; the clock since boot runs on, so their distance grows by every sleep. The wall clock
 * may be set at any time; nothing is timed by it, and a step of it is an event for the log and nothing else.
 * Fact: clock_gettime(2), CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME.
 */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly bootMs: number;
  readonly wallMs: number;
}

export type ClockEvent =
  /** The machine slept for so long, and its monotonic clock with it. */
  | { readonly kind: "suspended"; readonly sleptMs: number }
  /** The wall clock was set: forward when positive. */
  | { readonly kind: "clock-step"; readonly stepMs: number };

/** The clocks are read one after the other; a suspend takes longer than a busy machine may put between two of them. */
const SUSPEND_MIN_MS = 100;
/** Time services slew smaller errors (ntpd(8): 128 ms), or step them without anybody noticing. */
const STEP_MIN_MS = 500;

export function compareClocks(before: ClockReading, after: ClockReading): readonly ClockEvent[] {
  const bootMs = after.bootMs - before.bootMs;
  const sleptMs = bootMs - (after.monotonicMs - before.monotonicMs);
  const stepMs = after.wallMs - before.wallMs - bootMs;
  return [
    ...(sleptMs >= SUSPEND_MIN_MS ? [{ kind: "suspended", sleptMs } as const] : []),
    ...(Math.abs(stepMs) >= STEP_MIN_MS ? [{ kind: "clock-step", stepMs } as const] : []),
  ];
}
