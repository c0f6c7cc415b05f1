/**
 * What this node has to think of itself: whether it slept, whether its peers have given it up, whether its number of
 * starts was put back by a restore. A node that was late distrusts itself, not its peers.
 */
import { UINT48_MAX } from "../wire/bytes.ts";
import { excuseSilence, opinionOf } from "./peer.ts";
import type { MembershipEffect, MembershipState, PeerState } from "./state.ts";

export interface JudgedSelf {
  readonly state: MembershipState;
  readonly effects: readonly MembershipEffect[];
}

const NONE: readonly MembershipEffect[] = [];

/**
 * After a pause of ours, in which nobody listened: it is no part of anybody's silence. What was silence before it still
 * is, or a node that is late now and then would never miss a dead peer. When the pause was as long as peers wait before
 * they give a node up, silence counts anew, and nothing is to be decided until every member has answered a heartbeat
 * sent after it.
 */
export function noticePause(state: MembershipState, lateMs: number, nowMs: number): JudgedSelf {
  const { keepaliveMs, deadtimeMs } = state.config;
  const effects: MembershipEffect[] = [{ kind: "self-late", lateMs }];
  const isLong = lateMs + keepaliveMs >= deadtimeMs;
  const listening = {
    ...state,
    // Initdead is a time of listening.
    startedAtMs: state.settled ? state.startedAtMs : Math.min(nowMs, state.startedAtMs + lateMs),
    listeningSinceMs: isLong ? nowMs : Math.min(nowMs, state.listeningSinceMs + lateMs),
    nextBeatAtMs: nowMs,
    peers: state.peers.map((peer) => excuseSilence(peer, lateMs, state.config, nowMs)),
  };
  const members = state.peers.some(({ phase }) => phase === "member");
  if (!members || !isLong) return { state: listening, effects };
  const reason = `this node was late by ${Math.round(lateMs)} ms, longer than its peers wait for it`;
  if (state.hold === undefined) effects.push({ kind: "held", reason });
  return { state: { ...listening, hold: { reason, untilEchoOf: (state.beat + 1) % 65_536 } }, effects };
}

/** Ends the hold once every member is known to have heard us after the pause, and still counts us in. */
export function releaseHold(state: MembershipState): JudgedSelf | undefined {
  const { hold, generation } = state;
  if (hold === undefined) return undefined;
  const { id } = state;
  const answered = (peer: PeerState) => {
    const opinion = opinionOf(peer, id);
    if (opinion === undefined || opinion.generation !== generation || !opinion.heard) return false;
    return ((opinion.echo - hold.untilEchoOf) & 0xffff) < 0x8000;
  };
  if (!state.peers.filter(({ phase }) => phase === "member").every(answered)) return undefined;
  return {
    state: { ...state, hold: undefined },
    effects: [{ kind: "released", reason: "every member has answered since" }],
  };
}

function raise(state: MembershipState, known: number, reason: string): JudgedSelf {
  // A number that cannot be passed is a fault of the peer; going on with ours keeps us out, which is loud and safe.
  if (state.raisingTo !== undefined || known >= UINT48_MAX) return { state, effects: [] };
  const peers = Object.fromEntries(state.peers.map(({ name, generation }) => [name, generation]));
  return {
    state: { ...state, raisingTo: known + 1 },
    effects: [
      { kind: "generation-raised", to: known + 1, reason },
      { kind: "persist", generation: known + 1, peers },
    ],
  };
}

const fence = (state: MembershipState, reason: string): JudgedSelf => ({
  state: { ...state, selfFenced: true },
  effects: [{ kind: "self-fence", reason }],
});

/**
 * What the peer's newest heartbeat says of us. Before we are settled we hold nothing, and a peer that knows a later
 * start of ours, or has done with this one, only shows that our number came out of a backup: we go past it.
 * Afterwards the same words mean that this start must not run on.
 */
export function hearOpinion(state: MembershipState, peer: PeerState): JudgedSelf {
  const opinion = opinionOf(peer, state.id);
  if (opinion === undefined || opinion.generation < state.generation || state.goodbyes !== undefined)
    return { state, effects: NONE };
  const { name } = peer;
  const later = opinion.generation > state.generation;
  const done = opinion.opinion === "fenced" || opinion.opinion === "left";
  if (!state.settled) {
    if (later) return raise(state, opinion.generation, `${name} knows start ${opinion.generation} of this node`);
    if (done || opinion.opinion === "lost")
      return raise(state, opinion.generation, `${name} has done with start ${opinion.generation} of this node`);
    return { state, effects: [] };
  }
  if (later) return fence(state, `${name} knows a later start of this node: this one was set back to an old state`);
  if (done) return fence(state, `${name} had this node fenced: it must not run on`);
  // Both sides lost each other: neither has given the other up alone, and their fencing decides.
  if (opinion.opinion === "lost" && peer.phase === "member") return fence(state, `${name} has declared this node lost`);
  return { state, effects: NONE };
}
