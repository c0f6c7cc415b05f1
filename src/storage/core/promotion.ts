/**
 * How well a node could be promoted, from its DRBD state alone: the promotion score of the resource on this node.
 * Never a score for data that may be older than the peer's: promoting them would lose acknowledged writes, however
 * dead the peer is (reference/storage.md, runs 32 and 33). The steps are those of ocf:linbit:drbd but for one: good
 * data with an unknown peer count in full. Under resource-and-stonith a disk that is UpToDate was current when the
 * peer was lost, and whoever may go on alone has first outdated the other; and a score that falls at each loss of the
 * peer would make the cluster decide anew in the middle of every takeover.
 */
import { type DrbdConnection, type DrbdResource, localDisk, peerDisk } from "./drbd-events.ts";

export const SCORE_GOOD = 10_000;
/** Only the peer has good data; it can be used over the network, while it lasts. */
export const SCORE_REMOTE_ONLY = 10;

export interface Promotion {
  /** No score: must not be promoted here. */
  readonly score?: number;
  /** Why there is no score, or not the best one; empty for the best. */
  readonly reason: string;
}

const isConnected = ({ connection }: DrbdConnection) => connection === "Connected";

/** `isProven`: fence-desk.ts knows that nobody can have newer data than a disk here which is Consistent. */
export function promotionOf(resource: DrbdResource, isProven = false): Promotion {
  const disk = localDisk(resource);
  const connections = Object.values(resource.connections);
  if (disk === "UpToDate") {
    const known = connections.every((connection) => peerDisk(connection) !== "DUnknown");
    const reason = resource.role === "Primary" || known ? "" : "the state of the peer's disk is not known";
    return { score: SCORE_GOOD, reason };
  }
  const source = connections.find((connection) => isConnected(connection) && peerDisk(connection) === "UpToDate");
  if (source !== undefined) return { score: SCORE_REMOTE_ONLY, reason: `disk is ${disk}, good data only on the peer` };
  if (disk === "Consistent" && isProven)
    return { score: SCORE_GOOD, reason: "disk is Consistent, and proven to be the newest: the peer is off since" };
  if (disk === "Consistent")
    return { reason: "disk is Consistent only: the peer may have newer data; start the peer, or confirm the loss" };
  return { reason: `disk is ${disk}` };
}
