/** Two contents that may both have changed since they were one: which stays, and what is lost by that. */
import { diffTrees } from "./diff.ts";
import { compareLineage, compareVersion, joinLineage, winnerOf } from "./lineage.ts";
import type { CibConflict, HistoryEntry, StoredCib } from "./types.ts";

/** History is for people; older entries are in the logs. */
export const HISTORY_MAX = 100;

const CONFLICT = "conflict-";
const isConflict = (requestId: string) => requestId.startsWith(CONFLICT);

export type Merge =
  | { readonly kind: "same" }
  | { readonly kind: "keep" }
  | { readonly kind: "adopt"; readonly stored: StoredCib }
  /** Neither descends from the other: `stored` descends from both and holds the winner's configuration. */
  | { readonly kind: "join"; readonly stored: StoredCib; readonly conflict: CibConflict | undefined };

/**
 * The last conflict that nobody has looked after: a person who changes anything behind it has seen the history, or will
 * not be helped by hearing of it for ever.
 */
export function openConflict(
  history: readonly HistoryEntry[],
): { readonly version: string; readonly lost: number } | undefined {
  const found = history.findLast(({ origin, requestId }) => origin.who !== "gemel" || isConflict(requestId));
  if (found === undefined || !isConflict(found.requestId)) return undefined;
  const { adminEpoch, epoch } = found.version;
  return { version: `${adminEpoch}.${epoch}`, lost: found.diff.length };
}

/** `theirs` came from `node`; `newHead` names the joined content, should there be one. */
export function mergeStored(mine: StoredCib, theirs: StoredCib, node: string, self: string, newHead: string): Merge {
  const kinship = compareLineage(mine, theirs);
  if (kinship === "same") {
    // The same content, of which they may know more: that it was confirmed with quorum.
    if (compareVersion(theirs.quorateVersion, mine.quorateVersion) <= 0) return { kind: "same" };
    const { quorateHead, quorateVersion } = theirs;
    return { kind: "adopt", stored: { ...mine, quorateHead, quorateVersion } };
  }
  if (kinship === "older") return { kind: "keep" };
  if (kinship === "newer") return { kind: "adopt", stored: theirs };
  const winner = winnerOf(mine, theirs);
  const loser = winner === mine ? theirs : mine;
  const loserNode = winner === mine ? node : self;
  const version = {
    adminEpoch: Math.max(mine.version.adminEpoch, theirs.version.adminEpoch),
    epoch: Math.max(mine.version.epoch, theirs.version.epoch) + 1,
  };
  const diff = diffTrees(winner.configuration, loser.configuration);
  const known = new Set(winner.history.map(({ requestId }) => requestId));
  const note = {
    requestId: `${CONFLICT}${newHead}`,
    version,
    origin: {
      who: "gemel",
      from: `${self}: both sides had changed; the loser is kept beside`,
      wallMs: winner.history.at(-1)?.origin.wallMs ?? 0,
    },
    diff: diff.map((line) => `lost: ${line}`),
  };
  // The loser's entries stay out: the ids in the history say which changes are in force.
  const history = [
    ...winner.history,
    ...(diff.length > 0 ? [note] : loser.history.filter((e) => !known.has(e.requestId))),
  ];
  const stored: StoredCib = {
    version,
    head: newHead,
    lineage: joinLineage(winner.lineage, loser.lineage, newHead),
    confirmedHead: winner.confirmedHead,
    quorateHead: winner.quorateHead,
    quorateVersion: winner.quorateVersion,
    configuration: winner.configuration,
    history: history.slice(-HISTORY_MAX),
  };
  const conflict: CibConflict | undefined =
    diff.length === 0
      ? undefined
      : { winner: winner.version, loser: loser.version, loserNode, diff, lost: loser.configuration };
  return { kind: "join", stored, conflict };
}
