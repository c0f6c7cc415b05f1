/** What `stonith_admin` tells of past fencings: the last success, all of them, or when it was. */
import type { FencingRecord } from "../fencing-report.ts";

const isOff = ({ outcome, action }: FencingRecord) => outcome === "confirmed" && action !== "on";
const endOf = ({ endedWallMs, atWallMs }: FencingRecord) => endedWallMs ?? atWallMs;

/** Newest last, as they are kept. `*`: of every node. */
function recordsOf(history: readonly FencingRecord[], node: string): readonly FencingRecord[] {
  return history.filter(({ target }) => node === "*" || target === node);
}

/** The newest time at which the node was proven to be off. */
export function lastDeath(history: readonly FencingRecord[], node: string): FencingRecord | undefined {
  return recordsOf(history, node).findLast(isOff);
}

/** `all`: every round, also those that failed or run; else the last success for each node. */
export function historyLines(history: readonly FencingRecord[], node: string, all: boolean): readonly string[] {
  const records = recordsOf(history, node);
  const shown = all ? records : records.filter((record) => lastDeath(records, record.target) === record);
  const lines = shown.map(({ target, action, outcome, device, atWallMs, by }) => {
    const how = device === "" ? "" : ` by ${device}`;
    return `${new Date(atWallMs).toISOString()} ${action} of ${target}: ${outcome}${how}, for ${by}`;
  });
  return [...lines, `${lines.length} event${lines.length === 1 ? "" : "s"} found`];
}

/** Seconds since 1970, as `-q` wants it. */
export function epochOf(history: readonly FencingRecord[], node: string): string {
  const last = lastDeath(history, node);
  return last === undefined ? "0" : String(Math.floor(endOf(last) / 1_000));
}

/** Whether a success is so new that `--tolerance` wants nothing done. */
export function isRecent(record: FencingRecord | undefined, toleranceMs: number, nowWallMs: number): boolean {
  return record !== undefined && toleranceMs > 0 && nowWallMs - endOf(record) < toleranceMs;
}

export function lastFencedLine(history: readonly FencingRecord[], node: string): string {
  const last = lastDeath(history, node);
  if (last === undefined) return `Node ${node} has never been fenced`;
  return `Node ${node} last fenced at: ${new Date(endOf(last)).toISOString()}`;
}
