/**
 * Membership of one node: which peers are there, by agreement of both sides. Pure; the keeper's loop owns the world.
 * Nobody is declared dead by a node that did not listen: by how much a step comes later than it was due is no silence
 * of the others. Terms: Linux-HA ha.cf(5), keepalive, warntime, deadtime, initdead.
 */
import { unreachable } from "../../../base/check.ts";
import { entryOf, setEntry } from "../../../base/record.ts";
import { type Stepped, together } from "../../../base/step.ts";
import type { Heartbeat } from "../wire/heartbeat.ts";
import { hearLink } from "./link.ts";
import {
  canBeLost,
  confirmFencing,
  hearPeer,
  isFresh,
  judgePeer,
  type Listener,
  silenceMs,
  silentFromMs,
  tellOpinion,
} from "./peer.ts";
import { acceptSleep, expectSleep, sleptMs } from "./peer-clock.ts";
import { hasSeenAll, isQuorate, tieWakeAtMs, waitForTie } from "./quorum.ts";
import { askAll, noteAnswer, renewLease } from "./quorum-lease.ts";
import { judgeRift, riftWakeAtMs, strangersTo, withdraw } from "./rift.ts";
import { hearOpinion, noticePause, releaseHold } from "./self.ts";
import { silenceWakeAtMs, watchSilence } from "./silent-end.ts";
import {
  bitOfId,
  type LinkState,
  type MembershipEffect,
  type MembershipEvent,
  type MembershipState,
  type PeerState,
} from "./state.ts";

type Step = Stepped<MembershipState, MembershipEffect>;

/** A goodbye may be lost like any packet; the third makes it certain enough, and deadtime covers the rest. */
const GOODBYES = 3;
const GOODBYE_GAP_MS = 20;

const NONE: readonly MembershipEffect[] = [];

/** When the core next wants a tick. */
export function wakeAtMs(state: MembershipState): number {
  const { listeningSinceMs, config } = state;
  let wake = state.nextBeatAtMs;
  if (state.goodbyes !== undefined) return wake;
  if (!state.settled && state.raisingTo === undefined)
    wake = Math.min(wake, Math.max(state.startedAtMs + config.initdeadMs, listeningSinceMs));
  for (const peer of state.peers) {
    if (canBeLost(peer)) wake = Math.min(wake, silentFromMs(peer, listeningSinceMs) + config.deadtimeMs);
    wake = Math.min(wake, silenceWakeAtMs(peer) ?? wake);
  }
  return Math.min(wake, riftWakeAtMs(state) ?? wake, tieWakeAtMs(state) ?? wake);
}

/** After every packet, of pairs mostly: a plain loop. */
function withPeerIn(before: readonly PeerState[], peer: PeerState): readonly PeerState[] {
  if (before.length === 1) return [peer];
  const peers = before.slice();
  for (let at = 0; at < peers.length; at += 1) if (peers[at]?.id === peer.id) peers[at] = peer;
  return peers;
}

/** `peer` is one of its peers, as it is now. */
function withPeer(state: MembershipState, peer: PeerState): MembershipState {
  return { ...state, peers: withPeerIn(state.peers, peer) };
}

function remember(state: MembershipState): MembershipEffect {
  const peers = Object.fromEntries(state.peers.map(({ name, generation }) => [name, generation]));
  return { kind: "persist", generation: state.raisingTo ?? state.generation, peers };
}

/** The heartbeat that goes out now. */
function beat(before: MembershipState, nowMs: number): Step {
  const { config, goodbyes } = before;
  const number = (before.beat + 1) % 2 ** 32;
  const due = before.nextBeatAtMs + config.keepaliveMs;
  // From beat to beat by absolute time, so that lateness does not add up; but no burst to catch up.
  const nextMs = due > nowMs ? due : nowMs + config.keepaliveMs;
  const asked = askAll(before, number, nowMs);
  const state: MembershipState =
    goodbyes === undefined
      ? { ...asked, beat: number, nextBeatAtMs: nextMs }
      : { ...asked, beat: number, nextBeatAtMs: nowMs + GOODBYE_GAP_MS, goodbyes: goodbyes - 1 };
  if (goodbyes === 0) return { state, effects: [{ kind: "gone" }] };
  const { lease } = config;
  const promise = lease && { endsWithinMs: lease.endsWithinMs, votes: config.nodes.length };
  const heartbeat: Heartbeat = {
    leaving: goodbyes !== undefined,
    settled: state.settled,
    holding: state.hold !== undefined,
    quorate: isQuorate(state),
    holdsTie: state.tieHeld,
    promise,
    epoch: state.epoch,
    members: state.members,
    sentAtMs: Math.floor(nowMs) % 2 ** 32,
    beat: number,
    reachable: state.reachable,
    peers: state.peers.map((peer) => tellOpinion(peer, nowMs, config)),
  };
  return { state, effects: [{ kind: "send-heartbeat", generation: state.generation, heartbeat }] };
}

/** As `withEntry`, but at a place of its own: V8 copies fast where it has met few shapes, and these are few. */
function withLink(before: PeerState["links"], name: string, link: LinkState): PeerState["links"] {
  const links: Record<string, LinkState> = { ...before };
  setEntry(links, name, link);
  return links;
}

type Heard = MembershipEvent & { kind: "heartbeat" };

const NOBODY: readonly string[] = [];

function listenerFor(state: MembershipState, peer: PeerState, event: Heard, nowMs: number): Listener {
  const { id, generation, config } = state;
  const isKnown = peer.phase === "member" && peer.generation === event.generation;
  const strangers = isKnown ? NOBODY : strangersTo(state, event, nowMs);
  return { id, generation, deadtimeMs: config.deadtimeMs, strangers };
}

/** For every packet: a plain loop. */
function peerOfId({ peers }: MembershipState, id: number): PeerState | undefined {
  for (const peer of peers) if (peer.id === id) return peer;
  return undefined;
}

function hear(before: MembershipState, event: Heard, nowMs: number): Step {
  const known = peerOfId(before, event.from);
  const link = entryOf(known?.links, event.link);
  if (known === undefined || link === undefined) return { state: before, effects: NONE };
  const { config } = before;
  const silentMs = silenceMs(known, before.listeningSinceMs, nowMs);
  const isLate = known.phase === "member" && known.heardAtMs !== undefined && silentMs > config.warntimeMs;
  const late: readonly MembershipEffect[] = isLate ? [{ kind: "late-heartbeat", name: known.name, silentMs }] : NONE;
  const judgedLink = hearLink(link, event.link, known.name, event.heartbeat.beat, nowMs, config);
  const links = withLink(known.links, event.link, judgedLink.link);
  const listener = listenerFor(before, known, event, nowMs);
  const heard = hearPeer(known, links, event.generation, event.heartbeat, listener, nowMs);
  let effects = together(together(late, judgedLink.effects), heard.effects);
  // Only the newest heartbeat of a start that we listen to has a say about us.
  const isNewest = heard.peer.heartbeat === event.heartbeat;
  const peer = isNewest ? noteAnswer(heard.peer, before) : heard.peer;
  let state = withPeer(before, peer);
  if (heard.peer.generation !== known.generation) effects = [...effects, remember(state)];
  const slept = sleptMs(peer.clock);
  if (slept + config.keepaliveMs >= config.deadtimeMs) {
    const paused = noticePause(withPeer(state, { ...peer, clock: acceptSleep(peer.clock) }), slept, nowMs);
    state = paused.state;
    effects = together(effects, paused.effects);
  }
  if (!isNewest) return { state, effects };
  const judged = hearOpinion(state, peer);
  return { state: judged.state, effects: together(effects, judged.effects) };
}

/** What time alone brings; undefined: nothing, as nearly always. */
function tick(before: MembershipState, nowMs: number): Step | undefined {
  let effects = NONE;
  let state = before;
  if (state.goodbyes === undefined)
    for (const peer of before.peers) {
      if (isFresh(peer, before, nowMs)) continue;
      const judged = judgePeer(peer, before, nowMs);
      if (judged.peer !== peer) state = withPeer(state, judged.peer);
      effects = together(effects, judged.effects);
    }
  if (!state.settled && state.raisingTo === undefined) {
    const waited = nowMs - state.startedAtMs >= state.config.initdeadMs;
    const seen = state.peers.every(({ phase, fenced }) => phase !== "awaited" || fenced);
    if (waited || seen) {
      state = { ...state, settled: true };
      effects = [...effects, { kind: "settled" }];
    }
  }
  if (!state.seenAll && hasSeenAll(state)) state = { ...state, seenAll: true };
  return state === before ? undefined : { state, effects };
}

/** Brings the set of members and the epoch in line with the peers' phases and with what the members tell. */
function agree(state: MembershipState): MembershipState {
  let members = bitOfId(state.id);
  for (const { id, phase } of state.peers) if (phase === "member") members |= bitOfId(id);
  const isNew = members !== state.members;
  let epoch = state.epoch;
  // After every packet: plain loops.
  for (const { phase, heartbeat } of state.peers)
    if (phase === "member" && heartbeat !== undefined && (isNew || heartbeat.members === members))
      epoch = Math.max(epoch, heartbeat.epoch);
  if (isNew) return { ...state, members, epoch: epoch + 1 };
  return epoch === state.epoch ? state : { ...state, epoch };
}

function handle(state: MembershipState, event: MembershipEvent, nowMs: number): Step {
  switch (event.kind) {
    case "heartbeat":
      return hear(state, event, nowMs);
    case "tick":
      return { state, effects: NONE };
    case "suspended": {
      const peers = state.peers.map((peer) => ({ ...peer, clock: expectSleep(peer.clock, event.sleptMs) }));
      return noticePause({ ...state, peers }, event.sleptMs, nowMs);
    }
    case "fencing-confirmed": {
      const peer = state.peers.find(({ name }) => name === event.name);
      if (peer === undefined) return { state, effects: [] };
      const next = withPeer(state, confirmFencing(peer, event.generation));
      return { state: next, effects: [remember(next)] };
    }
    case "peer-accepted": {
      const peer = state.peers.find(({ name, phase, returned }) => name === event.name && phase === "lost" && returned);
      if (peer === undefined) return { state, effects: [] };
      return { state: withPeer(state, { ...peer, phase: "awaited", returned: false }), effects: [] };
    }
    case "peer-declared-lost": {
      const peer = state.peers.find(({ name, phase }) => name === event.name && phase === "member");
      if (peer === undefined) return { state, effects: [] };
      const next = withPeer(state, { ...peer, phase: "lost", returned: false });
      return { state: next, effects: [{ kind: "peer-lost", name: peer.name, silentMs: 0 }] };
    }
    case "tie-breaker":
      // The others of our half wait for this word.
      return { state: { ...state, tieHeld: event.held, nextBeatAtMs: nowMs }, effects: [] };
    case "reachable":
      return { state: { ...state, reachable: event.count }, effects: [] };
    case "persisted": {
      if (event.generation !== state.raisingTo) return { state, effects: [] };
      return { state: { ...state, raisingTo: undefined, generation: event.generation }, effects: [] };
    }
    case "leave":
      if (state.goodbyes !== undefined) return { state, effects: [] };
      return { state: { ...state, goodbyes: GOODBYES, nextBeatAtMs: nowMs }, effects: [] };
    default:
      return unreachable(event);
  }
}

/** `next`: what a part makes of the state of that step; undefined when it finds nothing to do. */
function after(step: Step, next: Step | undefined): Step {
  return next === undefined ? step : { state: next.state, effects: together(step.effects, next.effects) };
}

/** One event. Every event also lets time pass, so that a tick is only needed when nothing else comes. */
export function stepMembership(before: MembershipState, event: MembershipEvent, nowMs: number): Step {
  if (before.selfFenced) return { state: before, effects: [] };
  let effects = NONE;
  let state = before;
  const lateMs = nowMs - wakeAtMs(before);
  if (lateMs > before.config.keepaliveMs) {
    const paused = noticePause(state, lateMs, nowMs);
    state = paused.state;
    effects = paused.effects;
  }
  let step = handle(state, event, nowMs);
  if (!step.state.selfFenced) {
    step = after(step, tick(step.state, nowMs));
    step = after(step, releaseHold(step.state));
    step = after(step, judgeRift(step.state, event, nowMs));
    step = after(step, withdraw(step.state, event, nowMs));
  }
  state = step.state;
  effects = together(effects, step.effects);
  if (state.selfFenced) return { state, effects };
  const agreed = waitForTie(watchSilence(renewLease(agree(state), nowMs), nowMs), nowMs);
  // A change is told at once: until every member tells the same, nobody may decide.
  state = agreed.epoch === state.epoch ? agreed : { ...agreed, nextBeatAtMs: Math.min(state.nextBeatAtMs, nowMs) };
  if (nowMs < state.nextBeatAtMs) return { state, effects };
  const sent = beat(state, nowMs);
  return { state: sent.state, effects: together(effects, sent.effects) };
}
