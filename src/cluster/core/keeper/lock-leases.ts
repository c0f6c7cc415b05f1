/**
 * Locks on shared disks that this node holds, as its keeper knows them. A peer may take a lock that was not renewed in
 * time, and this node for dead: so the node must be gone by then, also when its manager hangs, crashes or is killed.
 * Kept by whoever feeds the watchdog, because a promise that dies with a process is none. Pure.
 */
export interface LockLease {
  readonly lock: string;
  /** From then on the watchdog is not fed any more, and the node ends itself. Monotonic. */
  readonly endAtMs: number;
}

export type LockLeases = readonly LockLease[];

/** A beat that comes late, and the time that a reset takes. */
const SLACK_MS = 500;

/** What lies between the last feeding and the machine's end, at most. */
export function marginOf(watchdogTimeoutMs: number, keepaliveMs: number): number {
  return watchdogTimeoutMs + keepaliveMs + SLACK_MS;
}

/**
 * `untilMs`: when another node may take it; undefined: it was given back. `isTooShort`: a machine that hangs may still
 * be there at that time, because its watchdog takes longer; then half of the lease must do.
 */
export function noteLease(
  leases: LockLeases,
  lock: string,
  untilMs: number | undefined,
  marginMs: number,
  nowMs: number,
): { readonly leases: LockLeases; readonly isTooShort: boolean } {
  const others = leases.filter((lease) => lease.lock !== lock);
  if (untilMs === undefined) return { leases: others, isTooShort: false };
  const halfMs = (untilMs - nowMs) / 2;
  const endAtMs = untilMs - Math.min(marginMs, Math.max(0, halfMs));
  return { leases: [...others, { lock, endAtMs }], isTooShort: marginMs > halfMs };
}
