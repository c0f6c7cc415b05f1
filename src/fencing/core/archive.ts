/**
 * The death certificates of the cluster: every round of fencing that any node has run, as every node keeps it. A node
 * that was fenced learns of its own death when it is back.
 */
import type { FencingRecord } from "./fencer-state.ts";

/** Older ones are in the log. */
export const ARCHIVE_MAX = 200;
/** So many are told to a node that joins; it has been away for a few rounds, not for years. */
export const TOLD_MAX = 20;

/** Rounds are numbered anew with each start of a manager; the time makes the name unique. */
const nameOf = ({ node, id, startedWallMs }: FencingRecord) => `${node} ${id} ${startedWallMs}`;

/** Both together, each once, oldest first. The same array when nothing was new. */
export function mergeRecords(
  known: readonly FencingRecord[],
  told: readonly FencingRecord[],
): readonly FencingRecord[] {
  const names = new Set(known.map(nameOf));
  const fresh = told.filter((record) => !names.has(nameOf(record)));
  if (fresh.length === 0) return known;
  return [...known, ...fresh].toSorted((left, right) => left.startedWallMs - right.startedWallMs).slice(-ARCHIVE_MAX);
}
