/**
 * Monitors that fail while the disk under them stands still. When the peer of a mirrored disk falls silent, every
 * write waits until that peer is proven to be off, and a service that writes does not answer its monitor meanwhile.
 * Nothing is wrong with it: to restart it would prolong the outage, its stop would hang on the same disk, and after
 * migration-threshold such nights it would be banned from the node that has its data. Such an answer is not told; it is
 * looked at again, at once when the disk goes on. Pacemaker counts it as a failure.
 */
import type { DiskWait } from "../../../storage/core/fence-desk.ts";
import { type Answer, mapRecurring } from "./resource-state.ts";
import type { ExecutorState, RecurringCall, ResourceState, RunningCall } from "./types.ts";

/** Our writes wait on this node, or did until `endedAtMs`. */
export interface DiskPause {
  readonly wait: Exclude<DiskWait, "none">;
  readonly sinceMs: number;
  readonly endedAtMs?: number;
}

/** DRBD itself gives a dead peer up sooner; whoever stays connected after that is not what the disk waits for. */
const SILENT_MAX_MS = 30_000;
const AGAIN_MS = 5_000;
/** "Not running" is seen in the process table, whatever the disk does. */
const NOT_RUNNING = 7;

function isPaused({ wait, sinceMs, endedAtMs }: DiskPause, { startedAtMs }: RunningCall, nowMs: number): boolean {
  if (endedAtMs !== undefined) return startedAtMs <= endedAtMs;
  return wait === "frozen" || nowMs - sinceMs <= SILENT_MAX_MS;
}

/** Whether a failed answer may be the disk's doing. DRBD's own agent and fencing devices do not write to it. */
export function isDoubtful(
  { pause }: ExecutorState,
  { identity }: ResourceState,
  running: RunningCall,
  { rcCode }: Answer,
  nowMs: number,
): boolean {
  if (pause === undefined || rcCode === NOT_RUNNING) return false;
  if (identity.type === "drbd" || identity.class === "stonith") return false;
  return isPaused(pause, running, nowMs);
}

/** The recurring operation, to be run again: now when the disk goes on already. */
export function doubted(call: RecurringCall, { pause }: ExecutorState, nowMs: number): RecurringCall {
  const waitMs = pause?.endedAtMs === undefined ? Math.min(AGAIN_MS, call.action.intervalMs) : 0;
  return { ...call, dueAtMs: nowMs + waitMs, isDoubted: true };
}

export function doubtText(resourceId: string, operation: string, { exitReason }: Answer): string {
  const failed = `${operation} of ${resourceId} failed${exitReason === "" ? "" : ` (${exitReason})`}`;
  return `${failed} while its disk waits for the peer to be proven off: not counted, looked at again`;
}

/** The disk waits, or goes on: then what was doubted is looked at now. */
export function withDiskWait(state: ExecutorState, wait: DiskWait, nowMs: number): ExecutorState {
  const { pause } = state;
  const isOver = pause === undefined || pause.endedAtMs !== undefined;
  if (wait !== "none") {
    const sinceMs = isOver || pause.wait !== wait ? nowMs : pause.sinceMs;
    return { ...state, pause: { wait, sinceMs } };
  }
  if (isOver) return state;
  const asked = mapRecurring(state, (call) => (call.isDoubted === true ? { ...call, dueAtMs: nowMs } : call));
  return { ...asked, pause: { ...pause, endedAtMs: nowMs } };
}
