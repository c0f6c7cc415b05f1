/**
 * One view for all: of three and more nodes two may lose each other while a third hears both. No view holds all three
 * then, and one that nobody can agree upon decides nothing. So a node becomes a member only when every member hears it
 * and it hears every member; and when two members have not heard each other for a whole deadtime, while this node
 * heard both, it gives up as few of its members as leave it with a whole view: those with the higher ids, where there
 * is a choice. All who see the same come to the same end. Who is given up is lost like any other: it ends itself when
 * it is told so, and is fenced before anything is taken over.
 * Whom a member counts weighs like a member in this: of two newcomers each may be taken in by another one at the same
 * moment, or two sides may meet, and then each view by itself is whole while no two are the same, for good. A side that
 * has quorum takes in nobody who counts one that it cannot have; where neither has it they are joined, and whoever is
 * too many is given up. A node that is not settled lets go of it without a word: nothing was decided with it.
 * Of a pair there is no third: nothing here concerns it.
 */
import { hearsOf, opinionOf } from "./peer.ts";
import { isQuorate } from "./quorum.ts";
import {
  bitOf,
  bitOfId,
  type MembershipEffect,
  type MembershipEvent,
  type MembershipState,
  type PeerState,
} from "./state.ts";

type Heard = MembershipEvent & { kind: "heartbeat" };

const hasHeard = ({ heardAtMs }: PeerState, { config }: MembershipState, nowMs: number) =>
  heardAtMs !== undefined && nowMs - heardAtMs < config.deadtimeMs;

/** Whom our members count, ourselves among them. */
function countedByOurs({ members, peers }: MembershipState): number {
  let counted = members;
  for (const { phase, heartbeat } of peers) if (phase === "member") counted |= heartbeat?.members ?? 0;
  return counted;
}

/** We hear it, and it this start of ours. */
const isWithUs = (peer: PeerState, state: MembershipState, nowMs: number) =>
  hasHeard(peer, state, nowMs) && hearsOf(peer.heartbeat, state.id, state.generation);

const areParted = (one: PeerState, other: PeerState) =>
  !hearsOf(one.heartbeat, other.id, other.generation) || !hearsOf(other.heartbeat, one.id, one.generation);

/**
 * Of our members, of those that they count, and of those that the sender counts, whoever does not hear this start of it
 * or is not heard by it; and those of its members whom we do not hear, or who do not hear us.
 * Whom a member of ours counts we shall count as well, in a moment: who is taken in before that is one too many.
 * Where either side has quorum it stays whole: one that a member of ours does not hear keeps out whoever counts it.
 * Where neither has, both sides may only together have it, and whom to give up is found out afterwards.
 */
export function strangersTo(
  state: MembershipState,
  { from, generation, heartbeat }: Heard,
  nowMs: number,
): readonly string[] {
  const counted = countedByOurs(state);
  const mustStay = heartbeat.quorate || isQuorate(state);
  const isStranger = (other: PeerState) => {
    const bit = bitOfId(other.id);
    const isIts = (heartbeat.members & bit) !== 0;
    if (other.id === from || (other.phase !== "member" && ((counted | heartbeat.members) & bit) === 0)) return false;
    const isParted = !hearsOf(other.heartbeat, from, generation) || !hearsOf(heartbeat, other.id, other.generation);
    if (other.phase === "member") return isParted;
    const isOurs = isWithUs(other, state, nowMs);
    if (!isIts) return isParted && isOurs;
    return (
      isParted || !isOurs || (mustStay && state.peers.some((one) => one.phase === "member" && areParted(one, other)))
    );
  };
  return state.peers.filter(isStranger).map(({ name }) => name);
}

/** Our members, and whoever may be one because a member of ours counts it and we hear each other. */
function company(state: MembershipState, nowMs: number): readonly PeerState[] {
  const counted = countedByOurs(state);
  const isCounted = (peer: PeerState) =>
    peer.phase === "awaited" && (counted & bitOfId(peer.id)) !== 0 && isWithUs(peer, state, nowMs);
  return state.peers.filter((peer) => peer.phase === "member" || isCounted(peer));
}

/** Who of them do not hear each other, one way or both, as two bits each; in order, so that it can be compared. */
function partedPairs(peers: readonly PeerState[]): readonly number[] {
  const pairs = peers.flatMap((one, at) => peers.slice(at + 1).map((other) => [one, other] as const));
  return pairs
    .filter(([one, other]) => areParted(one, other))
    .map(([one, other]) => bitOfId(one.id) | bitOfId(other.id));
}

const sizeOf = (members: number) => members.toString(2).replaceAll("0", "").length;

/** The larger one; of equals the one that has the lowest id that the other lacks. */
function better(one: number, other: number): number {
  if (sizeOf(one) !== sizeOf(other)) return sizeOf(one) > sizeOf(other) ? one : other;
  const differing = one ^ other;
  return (one & differing & -differing) !== 0 ? one : other;
}

/** The best of those members among which no pair is parted. At most 15 peers: 2^15 ways at the very worst. */
function wholeView(members: number, parted: readonly number[]): number {
  const pair = parted.find((both) => (members & both) === both);
  if (pair === undefined) return members;
  const lowest = pair & -pair;
  return better(wholeView(members & ~lowest, parted), wholeView(members & ~(pair ^ lowest), parted));
}

export interface JudgedRift {
  readonly state: MembershipState;
  readonly effects: readonly MembershipEffect[];
}

const NONE: readonly MembershipEffect[] = [];
const silently = (state: MembershipState): JudgedRift => ({ state, effects: NONE });

/** Whom the peer does not hear, or who does not hear it, by their names. */
const unheard = ({ config, peers }: MembershipState, parted: readonly number[], peer: PeerState) => {
  const bit = bitOf(config, peer.name);
  const others = parted.filter((both) => (both & bit) !== 0).reduce((bits, both) => bits | both, 0) & ~bit;
  return peers.filter(({ name }) => (bitOf(config, name) & others) !== 0).map(({ name }) => name);
};

function giveUp(state: MembershipState, parted: readonly number[], nowMs: number): JudgedRift {
  const { config } = state;
  const all = company(state, nowMs).reduce((bits, { id }) => bits | bitOfId(id), bitOfId(state.id));
  const kept = wholeView(all, parted);
  const effects: MembershipEffect[] = [];
  const peers = state.peers.map((peer): PeerState => {
    if (peer.phase !== "member" || (kept & bitOf(config, peer.name)) !== 0) return peer;
    const told = { name: peer.name, unheard: unheard(state, parted, peer) };
    effects.push({ kind: state.settled ? "given-up" : "held-out", ...told });
    // Before we are settled we hold nothing, and nothing was decided with us: nobody has to end for that.
    if (!state.settled) return { ...peer, phase: "awaited", joinedAtMs: undefined };
    return { ...peer, phase: "lost", returned: false };
  });
  return { state: { ...state, rift: undefined, peers }, effects };
}

/** Asked after every packet: does the sender miss a member of ours, or count others than we? */
function missesSomebody({ members, peers }: MembershipState, { from, heartbeat }: Heard): boolean {
  for (const { id, phase, generation } of peers) {
    if (phase !== "member") continue;
    if (id === from ? heartbeat.members !== members : !hearsOf(heartbeat, id, generation)) return true;
  }
  return false;
}

/** After every step, before the members are counted. */
export function judgeRift(state: MembershipState, event: MembershipEvent, nowMs: number): JudgedRift | undefined {
  const { config, rift } = state;
  if (rift === undefined && (event.kind !== "heartbeat" || !missesSomebody(state, event))) return undefined;
  // A node that slept knows too little of the others.
  const parted = state.hold === undefined ? partedPairs(company(state, nowMs)) : [];
  if (parted.length === 0) return rift === undefined ? undefined : silently({ ...state, rift: undefined });
  if (rift === undefined || rift.parted.join() !== parted.join())
    return silently({ ...state, rift: { parted, sinceMs: nowMs } });
  if (nowMs < rift.sinceMs + config.deadtimeMs) return undefined;
  // One that is just falling silent here as well is no matter of choice.
  const isFresh = ({ phase, heardAtMs = 0 }: PeerState) => phase !== "member" || nowMs - heardAtMs < config.warntimeMs;
  if (state.peers.every(isFresh)) return giveUp(state, parted, nowMs);
  return silently({ ...state, rift: { parted, sinceMs: nowMs - config.deadtimeMs + config.keepaliveMs } });
}

/**
 * A member of ours that counts others, and for a whole deadtime not us: we were quicker to take it in than it was to
 * meet them, and they do not hear us. On a view of ours with it nobody would ever agree; it is awaited again.
 */
export function withdraw(state: MembershipState, event: MembershipEvent, nowMs: number): JudgedRift | undefined {
  if (event.kind !== "heartbeat") return undefined;
  const { id: own, hold } = state;
  const { members } = event.heartbeat;
  // As nearly always.
  if ((members & bitOfId(own)) !== 0) return undefined;
  const peer = state.peers.find(({ id }) => id === event.from);
  if (peer?.phase !== "member" || peer.heartbeat !== event.heartbeat || hold !== undefined) return undefined;
  const others = members & ~bitOfId(peer.id);
  if (others === 0 || opinionOf(peer, own)?.opinion !== "awaited") return undefined;
  if (nowMs - Math.max(peer.joinedAtMs ?? nowMs, state.listeningSinceMs) < state.config.deadtimeMs) return undefined;
  const isUnheardBy = (other: PeerState) =>
    (others & bitOfId(other.id)) !== 0 && !hearsOf(other.heartbeat, own, state.generation);
  const unheardBy = state.peers.filter(isUnheardBy).map(({ name }) => name);
  const awaited: PeerState = { ...peer, phase: "awaited", joinedAtMs: undefined };
  return {
    state: { ...state, peers: state.peers.map((each) => (each === peer ? awaited : each)) },
    effects: [{ kind: "kept-out", name: peer.name, unheard: unheardBy }],
  };
}

/** When the wait is over. */
export const riftWakeAtMs = ({ rift, config }: MembershipState): number | undefined =>
  rift === undefined ? undefined : rift.sinceMs + config.deadtimeMs;
