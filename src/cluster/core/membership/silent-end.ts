/**
 * Watchdog fencing, the side that waits: when a lost peer that has promised to end itself without quorum must have done
 * so, or hold nothing because it never had quorum. It is proven for the start that promised, when for the whole
 * promised time
 * - this node has been quorate, with the same members, and those are a majority without the peer: so at no moment of it
 *   could the peer find one, for it counts only who has heard it;
 * - each of them has told that it does not hear that peer, and does so still in answer to a beat that was sent after
 *   it;
 * - the peer takes its majority of as many nodes as we do.
 * Whoever hears the peer meanwhile ends the wait: then it lives, and has not yet lost what it needs.
 * Clocks of two machines go at different speeds: a hundredth is added, some twenty times what a time service may do to
 * the monotonic clock (adjtimex(2): 500 ppm).
 */
import { opinionOf } from "./peer.ts";
import { isQuorate } from "./quorum.ts";
import { hasReached } from "./quorum-lease.ts";
import type { MembershipState, PeerState, Quiet } from "./state.ts";

const DRIFT = 1.01;

/** How long the quiet must last. */
export const waitMsFor = (endsWithinMs: number): number => Math.ceil(endsWithinMs * DRIFT);

const membersOf = ({ peers }: MembershipState) => peers.filter(({ phase }) => phase === "member");

/** Whether nobody of this half, by the newest that each has told, hears this start of the peer. */
function isQuiet(state: MembershipState, peer: PeerState, nowMs: number): boolean {
  const { config, hold } = state;
  const promise = peer.heartbeat?.promise;
  if (peer.phase !== "lost" || promise === undefined || promise.votes !== config.nodes.length) return false;
  // Of a pair without a tie-breaker each half is quorate by itself.
  if (config.lease === undefined || hold !== undefined || !isQuorate(state)) return false;
  if (peer.heardAtMs !== undefined && nowMs - peer.heardAtMs < config.deadtimeMs) return false;
  return membersOf(state).every((member) => {
    const told = opinionOf(member, peer.id);
    if (told === undefined || told.generation > peer.generation) return false;
    return told.generation < peer.generation || !told.heard;
  });
}

function goOn(state: MembershipState, peer: PeerState, nowMs: number): Quiet {
  const { quiet } = peer;
  const { members, beat } = state;
  if (quiet === undefined || quiet.members !== members) return { sinceMs: nowMs, members };
  const waitedMs = nowMs - quiet.sinceMs;
  if (quiet.endedAfterMs !== undefined || waitedMs < waitMsFor(peer.heartbeat?.promise?.endsWithinMs ?? Infinity))
    return quiet;
  const { askedBeat } = quiet;
  if (askedBeat === undefined && membersOf(state).length > 0) return { ...quiet, askedBeat: (beat + 1) % 65_536 };
  const answered = membersOf(state).every((member) => {
    const told = opinionOf(member, state.id);
    return told?.heard === true && askedBeat !== undefined && hasReached(told.echo, askedBeat);
  });
  return answered ? { ...quiet, endedAfterMs: Math.round(waitedMs) } : quiet;
}

/** After every step. */
export function watchSilence(state: MembershipState, nowMs: number): MembershipState {
  if (state.config.lease === undefined) return state;
  let peers = state.peers;
  for (const peer of state.peers) {
    const quiet = isQuiet(state, peer, nowMs) ? goOn(state, peer, nowMs) : undefined;
    if (quiet === peer.quiet) continue;
    peers = peers.map((each) => (each === peer ? { ...peer, quiet } : each));
  }
  return peers === state.peers ? state : { ...state, peers };
}

/** When somebody's wait is over, or the heartbeat that began it has become old. */
export function silenceWakeAtMs(peer: PeerState): number | undefined {
  const { quiet, heartbeat } = peer;
  if (quiet === undefined || quiet.askedBeat !== undefined || quiet.endedAfterMs !== undefined) return undefined;
  return quiet.sinceMs + waitMsFor(heartbeat?.promise?.endsWithinMs ?? Infinity);
}
