/**
 * Whether the members of a view may decide for the cluster.
 * More than half of all configured nodes may, fewer may not. Of two halves: where a tie-breaker is configured, the one
 * of which a member has it; else neither, but for a pair. There the fencing decides who goes on, because whoever takes
 * over has first read the other's power as off.
 * A lock on a disk is not had at once: until it can have been taken a tied half is neither quorate nor without quorum,
 * and holds what it has (`waitForTie`); else it would stop its services for the second that the lock takes.
 * Before `settled` nobody decides: a node that starts alone first waits initdead for its peers; with wait-for-all it
 * waits until all were there once, or a member says that it may decide already.
 * Where nodes end themselves without quorum (quorum-lease), being quorate is more than seeing a majority: it has to
 * have answered, because from then on time alone proves that who is not answered has ended.
 * Fact: corosync votequorum(5), two_node, wait_for_all, auto_tie_breaker.
 */
import { TIE_LOCK_TIMES } from "../../../storage/core/sfex-lease.ts";
import type { Heartbeat } from "../wire/heartbeat.ts";
import type { MembershipState } from "./state.ts";

/** To take a lock that nobody holds: the time for collisions, and as much for the accesses before and after it. */
const TIE_WAIT_MS = 3 * TIE_LOCK_TIMES.collisionTimeoutMs;

/** What the members tell, ourselves not among them. */
function toldBy({ peers }: MembershipState): readonly Heartbeat[] {
  return peers.flatMap(({ phase, heartbeat }) => (phase === "member" && heartbeat !== undefined ? [heartbeat] : []));
}

function memberCount({ peers }: MembershipState): number {
  let count = 1;
  for (const { phase } of peers) if (phase === "member") count += 1;
  return count;
}

/** Whether everybody was there once, as far as this start knows; for wait-for-all. */
export function hasSeenAll(state: MembershipState): boolean {
  if (state.seenAll || memberCount(state) === state.config.nodes.length) return true;
  return toldBy(state).some(({ quorate }) => quorate);
}

/** Neither side has a majority: whoever gets the tie-breaker goes on. */
export function isTied(state: MembershipState): boolean {
  return state.settled && 2 * memberCount(state) === state.config.nodes.length;
}

/** Of several members one goes for a lock: that with the lowest id. */
export function isTieSeeker(state: MembershipState): boolean {
  const { config, members } = state;
  const present = config.nodes.filter(({ id }) => (members & (1 << (id - 1))) !== 0);
  const lowest = present.reduce((least, { id }) => Math.min(least, id), Number.POSITIVE_INFINITY);
  return isTied(state) && config.nodes.find(({ name }) => name === config.self)?.id === lowest;
}

export function isQuorate(state: MembershipState): boolean {
  const { config, settled, seenAll, tieHeld, quorumAtMs } = state;
  if (config.lease !== undefined && quorumAtMs === undefined) return false;
  // After every packet: no object is built for it.
  const tieBreaker = config.quorum?.tieBreaker ?? "none";
  if (!settled || (config.quorum?.waitForAll === true && !seenAll)) return false;
  const members = memberCount(state);
  const all = config.nodes.length;
  if (2 * members !== all) return 2 * members > all;
  if (tieBreaker === "none") return all === 2;
  return tieHeld || toldBy(state).some(({ holdsTie }) => holdsTie);
}

function withoutWait(state: MembershipState): MembershipState {
  return state.tieWait === undefined ? state : { ...state, tieWait: undefined };
}

/** After every step: begins and ends the wait for the lock. It comes once in a tie, so a lock that is lost is lost. */
export function waitForTie(state: MembershipState, nowMs: number): MembershipState {
  const { tieWait } = state;
  if (state.config.quorum?.tieBreaker !== "disk" || !isTied(state)) return withoutWait(state);
  if (tieWait?.isOver === true) return state;
  const sinceMs = tieWait?.sinceMs ?? nowMs;
  const isOver = isQuorate(state) || nowMs - sinceMs >= TIE_WAIT_MS;
  return tieWait !== undefined && !isOver ? state : { ...state, tieWait: { sinceMs, isOver } };
}

export const tieWakeAtMs = ({ tieWait }: MembershipState): number | undefined =>
  tieWait === undefined || tieWait.isOver ? undefined : tieWait.sinceMs + TIE_WAIT_MS;

/** Why nothing may be decided yet; undefined when it may, or when there is no tie. */
export const tieHold = ({ tieWait }: MembershipState): string | undefined =>
  tieWait === undefined || tieWait.isOver
    ? undefined
    : "half of the nodes are lost, and who has the lock is not known yet";
