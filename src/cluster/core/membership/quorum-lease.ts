/**
 * Watchdog fencing, the side that promises: a node that no majority has heard for the time of its lease must end. The
 * others may then take it for dead by time alone (silent-end.ts), so every doubt here shortens the lease.
 * The lease is counted by our own clock from the moment at which a beat went out of which a peer tells that it heard
 * it: neither slow links nor packets that waited somewhere can make it longer than the peer knows. A peer that has
 * declared us lost renews nothing, even if it hears us.
 * The shared disk counts as the vote that halves lack, at the time at which its lock was known to be held.
 * Fact: sbd(8), "Diskless mode"; Pacemaker Explained, stonith-watchdog-timeout. The lease is that of Gray and Cheriton.
 */
import { opinionOf } from "./peer.ts";
import type { MembershipState, PeerState } from "./state.ts";

/** Whether number `beat` of 16 bits is `since` or comes after it. */
export const hasReached = (beat: number, since: number): boolean => ((beat - since) & 0xffff) < 0x8000;

/** After a heartbeat of the peer: a beat of ours that it has heard as that of a member renews the lease. */
export function noteAnswer(peer: PeerState, state: MembershipState): PeerState {
  const { asked } = peer;
  const opinion = opinionOf(peer, state.id);
  if (asked === undefined || opinion === undefined) return peer;
  const { generation, heard, echo } = opinion;
  const counts = opinion.opinion === "member" || opinion.opinion === "awaited";
  if (!counts || !heard || generation !== state.generation || !hasReached(echo, asked.beat)) return peer;
  return { ...peer, asked: undefined, confirmedAtMs: asked.atMs };
}

/**
 * Beat number `beat` goes out now: whoever owes no answer is asked for one; what was asked long ago is worth nothing.
 */
export function askAll(state: MembershipState, beat: number, nowMs: number): MembershipState {
  const { lease } = state.config;
  if (lease === undefined) return state;
  const peers = state.peers.map((peer) =>
    peer.asked !== undefined && nowMs - peer.asked.atMs < lease.leaseMs
      ? peer
      : { ...peer, asked: { beat: beat % 65_536, atMs: nowMs } },
  );
  return { ...state, peers };
}

/** After every packet, of pairs and of three: a plain loop. */
function newestAnswer({ peers }: MembershipState): number | undefined {
  let newestMs: number | undefined;
  for (const { confirmedAtMs } of peers)
    if (confirmedAtMs !== undefined && (newestMs === undefined || confirmedAtMs > newestMs)) newestMs = confirmedAtMs;
  return newestMs;
}

/** The last moment at which so many peers had heard us. */
function heardByAtMs(state: MembershipState, count: number, nowMs: number): number | undefined {
  if (count === 0) return nowMs;
  if (count === 1) return newestAnswer(state);
  const times: number[] = [];
  for (const { confirmedAtMs } of state.peers) if (confirmedAtMs !== undefined) times.push(confirmedAtMs);
  return times.sort((left, right) => right - left)[count - 1];
}

/** After every step: the lease only ever grows, for what was known at a moment stays known. */
export function renewLease(state: MembershipState, nowMs: number): MembershipState {
  const { config, peers, tieHeld } = state;
  if (config.lease === undefined) return state;
  const all = config.nodes.length;
  const before = state.quorumAtMs ?? Number.NEGATIVE_INFINITY;
  let newest = Math.max(before, heardByAtMs(state, Math.floor(all / 2), nowMs) ?? before);
  if (all % 2 === 0 && config.quorum?.tieBreaker === "disk") {
    const half = heardByAtMs(state, all / 2 - 1, nowMs) ?? Number.NEGATIVE_INFINITY;
    if (tieHeld) newest = Math.max(newest, half);
    for (const { confirmedAtMs, heartbeat } of peers)
      if (heartbeat?.holdsTie === true && confirmedAtMs !== undefined)
        newest = Math.max(newest, Math.min(half, confirmedAtMs));
  }
  if (newest === before) return state;
  // What is nearly over is no beginning: asked before a silence, answered after it. The next beat asks anew.
  if (state.quorumAtMs === undefined && nowMs - newest > config.lease.leaseMs / 2) return state;
  return { ...state, quorumAtMs: newest };
}

/** From when on this node must not run any more; undefined: it has promised nothing, or never had quorum. */
export function leaseEndAtMs({ config, quorumAtMs }: MembershipState): number | undefined {
  return config.lease === undefined || quorumAtMs === undefined ? undefined : quorumAtMs + config.lease.leaseMs;
}
