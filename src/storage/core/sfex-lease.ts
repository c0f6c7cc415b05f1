/**
 * Holding one sfex lock: the same protocol on the disk as sfex_daemon, with the two holes closed that it has.
 * A writer that was held up between its read and its write cannot know what it has overwritten: a write that took
 * longer than half the collision timeout gives no right, and is waited out like a stranger's. And a holder that could
 * not renew its lock in time gives up by its own clock before anybody may take it, instead of finding out from the
 * disk. Pure: reads and writes are effects, their results events.
 * Facts: reference/storage.md, section 8.
 */
import { type Stepped, unchanged } from "../../base/step.ts";
import { nextCount, type SfexLock, type SfexRead } from "../../hw/core/sfex/record.ts";

export interface SfexTimes {
  /** After this time without a change another node's lock may be taken. */
  readonly lockTimeoutMs: number;
  /** Between our write and the look whether somebody has written over it. */
  readonly collisionTimeoutMs: number;
  readonly monitorIntervalMs: number;
}

/** Of the lock that is a tie-breaker of the quorum: a disk that needs a quarter of this for a renewal is no witness. */
export const TIE_LOCK_TIMES: SfexTimes = { lockTimeoutMs: 10_000, collisionTimeoutMs: 1_000, monitorIntervalMs: 2_000 };
/** After a lock that was not to be had, or was lost. */
export const TIE_LOCK_RETRY_MS = 2_000;

export interface SfexLease {
  readonly node: string;
  readonly times: SfexTimes;
  readonly phase:
    | { readonly kind: "idle" }
    /** The first look at the lock, or the second after waiting out another holder. */
    | { readonly kind: "looking"; readonly seen?: SfexLock; readonly beganAtMs: number }
    /** Another node holds it: look again when it must have moved. */
    | { readonly kind: "waiting"; readonly seen: SfexLock; readonly untilMs: number }
    | { readonly kind: "claiming"; readonly count: number; readonly readAtMs: number }
    /** Written; now the others may write over it. */
    | { readonly kind: "settling"; readonly count: number; readonly untilMs: number }
    | { readonly kind: "verifying"; readonly count: number; readonly readAtMs: number }
    | { readonly kind: "confirming"; readonly count: number; readonly readAtMs: number }
    | { readonly kind: "holding"; readonly count: number; readonly renewedAtMs: number; readonly dueAtMs: number }
    | { readonly kind: "checking"; readonly count: number; readonly renewedAtMs: number; readonly readAtMs: number }
    | { readonly kind: "renewing"; readonly count: number; readonly renewedAtMs: number; readonly readAtMs: number }
    | { readonly kind: "releasing" };
}

export type SfexEvent =
  | { readonly kind: "acquire" | "release" | "tick" }
  | { readonly kind: "read"; readonly result: SfexRead<SfexLock> }
  | { readonly kind: "wrote" }
  /** Reading or writing failed; what is on the disk is not known. */
  | { readonly kind: "disk-failed"; readonly reason: string };

export type SfexEffect =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly lock: SfexLock }
  | { readonly kind: "acquired" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "released" }
  /** We do not hold it any more and cannot stop what we have in flight: the node must reset itself now. */
  | { readonly kind: "lost"; readonly reason: string };

type Step = Stepped<SfexLease, SfexEffect>;
type Phase = SfexLease["phase"];

/** A part of the lock timeout that a holder leaves unused: its reset must be over before another may take the lock. */
const MARGIN_PARTS = 4;

export function createSfexLease(node: string, times: SfexTimes): SfexLease {
  return { node, times, phase: { kind: "idle" } };
}

/** By when a holder must have renewed its lock, or be gone. */
function deadlineMs({ times }: SfexLease, renewedAtMs: number): number {
  return renewedAtMs + times.lockTimeoutMs - times.lockTimeoutMs / MARGIN_PARTS;
}

function go(lease: SfexLease, phase: Phase, ...effects: SfexEffect[]): Step {
  return { state: { ...lease, phase }, effects };
}

const refuse = (lease: SfexLease, reason: string) => go(lease, { kind: "idle" }, { kind: "refused", reason });
const lose = (lease: SfexLease, reason: string) => go(lease, { kind: "idle" }, { kind: "lost", reason });

/** `readAtMs`: when the look was begun; what it showed may be as old as that. */
function claim(lease: SfexLease, seen: SfexLock, readAtMs: number): Step {
  const count = nextCount(seen.count);
  const lock: SfexLock = { held: true, count, node: lease.node };
  return go(lease, { kind: "claiming", count, readAtMs }, { kind: "write", lock });
}

function isUnmoved(before: SfexLock, now: SfexLock): boolean {
  return before.held === now.held && before.count === now.count && before.node === now.node;
}

function afterRead(lease: SfexLease, result: SfexRead<SfexLock>, nowMs: number): Step {
  const { phase, node, times } = lease;
  if (result.kind === "damaged") {
    return phase.kind === "checking" ? lose(lease, result.reason) : refuse(lease, result.reason);
  }
  const lock = result.value;
  switch (phase.kind) {
    case "looking": {
      if (phase.seen !== undefined && !isUnmoved(phase.seen, lock) && lock.held)
        return refuse(lease, `${lock.node} holds the lock and renews it`);
      if (!lock.held || lock.node === node || phase.seen !== undefined) return claim(lease, lock, phase.beganAtMs);
      return go(lease, { kind: "waiting", seen: lock, untilMs: nowMs + times.lockTimeoutMs });
    }
    case "verifying": {
      if (!lock.held || lock.node !== node || lock.count !== phase.count)
        return refuse(lease, `${lock.node} was faster`);
      const count = nextCount(lock.count);
      const next: SfexLock = { held: true, count, node };
      return go(lease, { kind: "confirming", count, readAtMs: phase.readAtMs }, { kind: "write", lock: next });
    }
    case "checking": {
      if (!lock.held || lock.node !== node || lock.count !== phase.count)
        return lose(lease, `${lock.node} has taken the lock`);
      const count = nextCount(lock.count);
      const next: SfexLock = { held: true, count, node };
      const renewing: Phase = { ...phase, kind: "renewing", count };
      return go(lease, renewing, { kind: "write", lock: next });
    }
    case "idle":
    case "waiting":
    case "claiming":
    case "settling":
    case "confirming":
    case "holding":
    case "renewing":
    case "releasing":
      return unchanged(lease);
  }
}

function afterWrite(lease: SfexLease, nowMs: number): Step {
  const { phase, times } = lease;
  // Between read and write another node may have claimed; only a fast write bounds what it can have seen.
  const isLate = "readAtMs" in phase && nowMs - phase.readAtMs > times.collisionTimeoutMs / 2;
  switch (phase.kind) {
    case "claiming":
      // It may lie over the record of one who holds the lock and will notice only at its next look: wait that out.
      if (isLate) {
        const seen: SfexLock = { held: true, count: phase.count, node: lease.node };
        return go(lease, { kind: "waiting", seen, untilMs: nowMs + times.lockTimeoutMs });
      }
      return go(lease, { kind: "settling", count: phase.count, untilMs: nowMs + times.collisionTimeoutMs });
    case "confirming": {
      if (isLate) return refuse(lease, "the disk is too slow to hold a lock on it");
      const { count, readAtMs } = phase;
      const dueAtMs = nowMs + times.monitorIntervalMs;
      return go(lease, { kind: "holding", count, renewedAtMs: readAtMs, dueAtMs }, { kind: "acquired" });
    }
    case "renewing": {
      const { count, readAtMs } = phase;
      // What counts is when the renewal was begun: the others may have seen nothing newer for as long.
      return go(lease, { kind: "holding", count, renewedAtMs: readAtMs, dueAtMs: nowMs + times.monitorIntervalMs });
    }
    case "releasing":
      return go(lease, { kind: "idle" }, { kind: "released" });
    case "idle":
    case "looking":
    case "waiting":
    case "settling":
    case "verifying":
    case "holding":
    case "checking":
      return unchanged(lease);
  }
}

function onTick(lease: SfexLease, nowMs: number): Step {
  const { phase } = lease;
  switch (phase.kind) {
    case "waiting":
      if (nowMs < phase.untilMs) return unchanged(lease);
      return go(lease, { kind: "looking", seen: phase.seen, beganAtMs: nowMs }, { kind: "read" });
    case "settling":
      if (nowMs < phase.untilMs) return unchanged(lease);
      return go(lease, { kind: "verifying", count: phase.count, readAtMs: nowMs }, { kind: "read" });
    case "holding":
      if (nowMs >= deadlineMs(lease, phase.renewedAtMs)) return lose(lease, "the lock could not be renewed in time");
      if (nowMs < phase.dueAtMs) return unchanged(lease);
      return go(
        lease,
        { kind: "checking", count: phase.count, renewedAtMs: phase.renewedAtMs, readAtMs: nowMs },
        { kind: "read" },
      );
    case "checking":
    case "renewing":
      if (nowMs >= deadlineMs(lease, phase.renewedAtMs)) return lose(lease, "the disk does not answer in time");
      return unchanged(lease);
    case "idle":
    case "looking":
    case "claiming":
    case "verifying":
    case "confirming":
    case "releasing":
      return unchanged(lease);
  }
}

function isHolding(phase: Phase): phase is Extract<Phase, { readonly renewedAtMs: number }> {
  return phase.kind === "holding" || phase.kind === "checking" || phase.kind === "renewing";
}

export function stepSfexLease(lease: SfexLease, event: SfexEvent, nowMs: number): Step {
  const { phase, node } = lease;
  switch (event.kind) {
    case "acquire":
      if (phase.kind !== "idle") return unchanged(lease);
      return go(lease, { kind: "looking", beganAtMs: nowMs }, { kind: "read" });
    case "release": {
      if (!isHolding(phase)) return go(lease, { kind: "idle" }, { kind: "released" });
      const { count } = phase;
      return go(lease, { kind: "releasing" }, { kind: "write", lock: { held: false, count, node } });
    }
    case "read":
      return afterRead(lease, event.result, nowMs);
    case "wrote":
      return afterWrite(lease, nowMs);
    case "disk-failed":
      // A holder may fail until its deadline, then the tick ends it.
      if (isHolding(phase)) {
        const { count, renewedAtMs } = phase;
        const dueAtMs = nowMs + lease.times.monitorIntervalMs;
        return go(lease, { kind: "holding", count, renewedAtMs, dueAtMs });
      }
      return phase.kind === "releasing"
        ? go(lease, { kind: "idle" }, { kind: "released" })
        : refuse(lease, event.reason);
    case "tick":
      return onTick(lease, nowMs);
  }
}

export function sfexWakeAtMs(lease: SfexLease): number | undefined {
  const { phase } = lease;
  if (phase.kind === "waiting" || phase.kind === "settling") return phase.untilMs;
  if (phase.kind === "holding") return Math.min(phase.dueAtMs, deadlineMs(lease, phase.renewedAtMs));
  return isHolding(phase) ? deadlineMs(lease, phase.renewedAtMs) : undefined;
}
