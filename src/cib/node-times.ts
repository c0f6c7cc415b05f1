/**
 * The times of a node: as written, or all derived from one, the takeover goal. Half of the goal is for noticing the
 * death (deadtime), the other half for the fencing and the starts; ten beats fit into a deadtime, so that nine may be
 * lost or late before a living node is taken for dead.
 *     deadtime = goal / 2    keepalive = deadtime / 10    warntime = deadtime / 2    deadping = deadtime
 *     initdead = the larger of 10 s and twice deadtime: booting is not part of a takeover
 * Fact: the words are those of Linux-HA ha.cf(5).
 */
export interface NodeTimes {
  readonly keepaliveMs: number;
  readonly warntimeMs: number;
  readonly deadtimeMs: number;
  readonly initdeadMs: number;
  readonly deadpingMs: number;
  readonly takeoverGoalMs?: number;
}

/** What stands in the file. */
export interface WrittenTimes {
  readonly goalMs: number | undefined;
  readonly keepaliveMs: number | undefined;
  readonly warntimeMs: number | undefined;
  readonly deadtimeMs: number | undefined;
  readonly initdeadMs: number | undefined;
  readonly deadpingMs: number | undefined;
}

const INITDEAD_MIN_MS = 10_000;
const BEATS_PER_DEADTIME = 10;

export function deriveTimes(written: WrittenTimes): NodeTimes {
  const { goalMs } = written;
  const deadtimeMs = goalMs === undefined ? (written.deadtimeMs ?? 3000) : Math.floor(goalMs / 2);
  const derivedMs = goalMs === undefined ? 1000 : Math.floor(deadtimeMs / BEATS_PER_DEADTIME);
  return {
    keepaliveMs: written.keepaliveMs ?? derivedMs,
    deadtimeMs,
    warntimeMs: written.warntimeMs ?? deadtimeMs / 2,
    initdeadMs: written.initdeadMs ?? Math.max(INITDEAD_MIN_MS, 2 * deadtimeMs),
    deadpingMs: written.deadpingMs ?? deadtimeMs,
    ...(goalMs === undefined ? {} : { takeoverGoalMs: goalMs }),
  };
}
