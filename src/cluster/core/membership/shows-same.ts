/**
 * Whether two states show the manager the same view but for the silences, which grow all the time. Asked after every
 * packet, so it compares only what may have changed and builds nothing.
 */
import { entryOf } from "../../../base/record.ts";
import { isQuorate, tieHold } from "./quorum.ts";
import type { MembershipState, PeerState } from "./state.ts";

function sameLinks(before: PeerState["links"], after: PeerState["links"]): boolean {
  if (before === after) return true;
  for (const name in after) {
    if (entryOf(before, name)?.state !== entryOf(after, name)?.state) return false;
  }
  return true;
}

function sameHeartbeat(before: PeerState["heartbeat"], after: PeerState["heartbeat"]): boolean {
  // The same beat by a second link.
  if (before === after) return true;
  return (
    before?.members === after?.members &&
    before?.epoch === after?.epoch &&
    before?.reachable === after?.reachable &&
    before?.promise?.endsWithinMs === after?.promise?.endsWithinMs &&
    before?.promise?.votes === after?.promise?.votes
  );
}

function samePeer(before: PeerState, after: PeerState): boolean {
  if (before === after) return true;
  return (
    before.phase === after.phase &&
    before.generation === after.generation &&
    before.returned === after.returned &&
    (before.heardAtMs === undefined) === (after.heardAtMs === undefined) &&
    sameHeartbeat(before.heartbeat, after.heartbeat) &&
    (before.quiet === undefined) === (after.quiet === undefined) &&
    before.quiet?.endedAfterMs === after.quiet?.endedAfterMs &&
    sameLinks(before.links, after.links)
  );
}

function samePeers(before: readonly PeerState[], after: readonly PeerState[]): boolean {
  if (before === after) return true;
  for (let at = 0; at < before.length; at += 1) {
    const one = before[at];
    const other = after[at];
    if (one === undefined || other === undefined || !samePeer(one, other)) return false;
  }
  return true;
}

export function showsSame(before: MembershipState, after: MembershipState): boolean {
  if (before === after) return true;
  return (
    before.members === after.members &&
    before.epoch === after.epoch &&
    before.settled === after.settled &&
    before.generation === after.generation &&
    before.hold?.reason === after.hold?.reason &&
    before.reachable === after.reachable &&
    tieHold(before) === tieHold(after) &&
    isQuorate(before) === isQuorate(after) &&
    samePeers(before.peers, after.peers)
  );
}
