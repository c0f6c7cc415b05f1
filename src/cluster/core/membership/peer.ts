/**
 * Whether one peer is alive, judged from its heartbeats on all links together.
 * A peer is a member when we hear it and it says that it hears this very start of ours: hearing alone would make a
 * member of a recorded packet, or of a peer that is deaf to us.
 * Of three and more nodes all members have to hear it, too: see rift.ts.
 * A peer is lost when no link has carried its heartbeat for deadtime. Lost does not mean stopped: whoever receives
 * `peer-lost` must have it fenced before taking anything over. It stays lost, even when it is heard again, until it is
 * fenced, starts anew, says goodbye or is accepted; so nobody takes a node that ran on for one that never was away.
 * Term: Linux-HA ha.cf(5), deadtime.
 */
import { entryOf, withEntry } from "../../../base/record.ts";
import { together } from "../../../base/step.ts";
import type { Heartbeat, PeerOpinion } from "../wire/heartbeat.ts";
import { judgeLink } from "./link.ts";
import { acceptSleep, advanceClock, elapsedMs, UNKNOWN_CLOCK } from "./peer-clock.ts";
import {
  createPeer,
  type LinkState,
  type MembershipConfig,
  type MembershipEffect,
  type MembershipState,
  type PeerState,
} from "./state.ts";

const NONE: readonly MembershipEffect[] = [];

export interface JudgedPeer {
  readonly peer: PeerState;
  readonly effects: readonly MembershipEffect[];
}

/** For every packet, several times: a plain loop. */
function opinionIn(heartbeat: Heartbeat | undefined, id: number): PeerOpinion | undefined {
  if (heartbeat !== undefined) for (const opinion of heartbeat.peers) if (opinion.id === id) return opinion;
  return undefined;
}

/** What the peer's last heartbeat says of node `id`. */
export const opinionOf = (peer: PeerState, id: number): PeerOpinion | undefined => opinionIn(peer.heartbeat, id);

/** Whether who sent this hears that start of node `id`. */
export function hearsOf(heartbeat: Heartbeat | undefined, id: number, generation: number): boolean {
  const opinion = opinionIn(heartbeat, id);
  return opinion?.heard === true && opinion.generation === generation;
}

/** The peer of a new start: nothing of the former one counts any more. */
function restart(peer: PeerState, generation: number): JudgedPeer {
  const { name, id, refusedGeneration, links } = peer;
  const wasHere = peer.phase === "member" || peer.phase === "lost";
  return {
    peer: createPeer({ name, id, generation, refusedGeneration, fenced: false, links }),
    effects: wasHere ? [{ kind: "peer-restarted", name, generation }] : [],
  };
}

/** The peer's clock after its next heartbeat: only asked while the peer is heard without a break. */
function clockAfter(peer: PeerState, last: Heartbeat, heartbeat: Heartbeat, nowMs: number, deadtimeMs: number) {
  const ownMs = nowMs - (peer.heartbeatAtMs ?? nowMs);
  const advanced = advanceClock(peer.clock, elapsedMs(last.sentAtMs, heartbeat.sentAtMs), ownMs);
  // A line that is opened first delivers what had waited in it: old news in a burst, which is no sleep of ours.
  const known = peer.joinedAtMs !== undefined && nowMs - peer.joinedAtMs >= deadtimeMs;
  return known ? advanced : acceptSleep(advanced);
}

/** Notes what was heard, and what the links are like after it: one copy for each packet. */
function note(
  peer: PeerState,
  links: PeerState["links"],
  heartbeat: Heartbeat,
  nowMs: number,
  deadtimeMs: number,
): PeerState {
  const last = peer.heartbeat;
  // A second link carries the same heartbeat again, and a slow link an older one: that adds nothing.
  if (last !== undefined && peer.heartbeatAtMs !== undefined && elapsedMs(last.beat, heartbeat.beat) <= 0)
    return { ...peer, links, heardAtMs: nowMs, silentFromMs: nowMs };
  const clock = last === undefined ? peer.clock : clockAfter(peer, last, heartbeat, nowMs, deadtimeMs);
  return { ...peer, links, heartbeat, heardAtMs: nowMs, silentFromMs: nowMs, heartbeatAtMs: nowMs, clock };
}

/** What a heartbeat is judged by. */
export interface Listener {
  /** Ourselves, as the peer must know us. */
  readonly id: number;
  readonly generation: number;
  readonly deadtimeMs: number;
  /** Nodes that keep the sender from being a member, because it and they do not hear each other: see rift.ts. */
  readonly strangers: readonly string[];
}

function admit(peer: PeerState, nowMs: number): JudgedPeer {
  const { name, generation } = peer;
  return {
    peer: { ...peer, phase: "member", joinedAtMs: nowMs, heldOut: undefined },
    effects: [{ kind: "peer-joined", name, generation }],
  };
}

/** Told once it has lasted: those who come together need a few keepalives. */
function holdOut(peer: PeerState, { strangers, deadtimeMs }: Listener, nowMs: number): JudgedPeer {
  const { sinceMs, isTold } = peer.heldOut ?? { sinceMs: nowMs, isTold: false };
  const isDue = nowMs - sinceMs >= deadtimeMs;
  return {
    peer: { ...peer, heldOut: { sinceMs, isTold: isDue } },
    effects: isDue && !isTold ? [{ kind: "held-out", name: peer.name, unheard: strangers }] : [],
  };
}

/** After a heartbeat of the start `generation`; `links`: as they are after it, whatever else it is worth. */
export function hearPeer(
  before: PeerState,
  links: PeerState["links"],
  generation: number,
  heartbeat: Heartbeat,
  self: Listener,
  nowMs: number,
): JudgedPeer {
  if (generation < before.generation || generation <= before.refusedGeneration)
    return { peer: { ...before, links }, effects: NONE };
  const started: JudgedPeer =
    generation > before.generation ? restart(before, generation) : { peer: before, effects: NONE };
  const peer = note(started.peer, links, heartbeat, nowMs, self.deadtimeMs);
  const { name } = peer;
  if (heartbeat.leaving) {
    return {
      peer: { ...peer, phase: "left", refusedGeneration: generation, returned: false },
      effects: [...started.effects, { kind: "peer-left", name }],
    };
  }
  if (peer.phase === "member") return { peer, effects: started.effects };
  if (peer.phase === "lost") {
    if (peer.returned || self.strangers.length > 0) return { peer, effects: started.effects };
    return { peer: { ...peer, returned: true }, effects: [...started.effects, { kind: "peer-returned", name }] };
  }
  const opinion = opinionOf(peer, self.id);
  const hearsUs =
    opinion?.heard === true &&
    opinion.generation === self.generation &&
    (opinion.opinion === "awaited" || opinion.opinion === "member");
  if (peer.phase !== "awaited" || !hearsUs) return { peer, effects: started.effects };
  const judged = self.strangers.length === 0 ? admit(peer, nowMs) : holdOut(peer, self, nowMs);
  return { peer: judged.peer, effects: together(started.effects, judged.effects) };
}

/** From when on the silence of a peer, or of a link to it, counts. */
export function silentFromMs({ silentFromMs = 0 }: PeerState | LinkState, listeningSinceMs: number): number {
  return Math.max(silentFromMs, listeningSinceMs);
}

/** How long the peer has been silent while we listened. */
export function silenceMs(peer: PeerState, listeningSinceMs: number, nowMs: number): number {
  return nowMs - silentFromMs(peer, listeningSinceMs);
}

/**
 * Nobody has listened for the last `lateMs`: that is no silence of the peer, nor of a link to it. What has come
 * meanwhile is still to be read: nobody is given up before a keepalive of listening.
 */
export function excuseSilence(
  peer: PeerState,
  lateMs: number,
  { keepaliveMs, deadtimeMs }: MembershipConfig,
  nowMs: number,
): PeerState {
  const earliestMs = nowMs - deadtimeMs + keepaliveMs;
  const later = <Silent extends PeerState | LinkState>(one: Silent): Silent => {
    if (one.silentFromMs === undefined) return one;
    return { ...one, silentFromMs: Math.min(nowMs, Math.max(one.silentFromMs + lateMs, earliestMs)) };
  };
  const links = Object.entries(peer.links).map(([name, link]) => [name, later(link)] as const);
  return { ...later(peer), links: Object.fromEntries(links) };
}

/** A member, or one that was heard and on its way to become one: its silence has to be answered, too. */
export function canBeLost({ phase, heardAtMs }: PeerState): boolean {
  return phase === "member" || (phase === "awaited" && heardAtMs !== undefined);
}

/** As nearly always: it has been heard on each link that is not down within warntime, so `judgePeer` finds nothing. */
export function isFresh(
  { links, silentFromMs: ofPeerMs = 0 }: PeerState,
  { config, listeningSinceMs }: MembershipState,
  nowMs: number,
): boolean {
  const staleMs = nowMs - Math.min(config.warntimeMs, config.deadtimeMs);
  if (listeningSinceMs > staleMs) return true;
  if (ofPeerMs <= staleMs) return false;
  for (const name in links) {
    const link = entryOf(links, name);
    if (link?.state !== "down" && (link?.silentFromMs ?? 0) <= staleMs) return false;
  }
  return true;
}

/** After time has passed. */
export function judgePeer(before: PeerState, state: MembershipState, nowMs: number): JudgedPeer {
  const { config, listeningSinceMs } = state;
  const effects: MembershipEffect[] = [];
  let peer = before;
  for (const name in before.links) {
    const link = entryOf(before.links, name);
    if (link === undefined) continue;
    const judged = judgeLink(link, name, before.name, nowMs, listeningSinceMs, config);
    if (judged.link !== link) peer = { ...peer, links: withEntry(peer.links, name, judged.link) };
    effects.push(...judged.effects);
  }
  const silentMs = silenceMs(before, listeningSinceMs, nowMs);
  if (!canBeLost(before) || silentMs < config.deadtimeMs) return { peer, effects };
  effects.push({ kind: "peer-lost", name: before.name, silentMs });
  return { peer: { ...peer, phase: "lost", returned: false }, effects };
}

/** Its power was read back as off: that start is never listened to again, and a new one is welcome. */
export function confirmFencing(peer: PeerState, generation: number): PeerState {
  if (peer.generation > generation && peer.phase !== "lost") return peer;
  const refused = Math.max(peer.generation, generation, peer.refusedGeneration);
  return {
    ...peer,
    heardAtMs: undefined,
    silentFromMs: undefined,
    heartbeat: undefined,
    heartbeatAtMs: undefined,
    joinedAtMs: undefined,
    phase: "awaited",
    generation: refused,
    refusedGeneration: refused,
    fenced: true,
    returned: false,
    clock: UNKNOWN_CLOCK,
  };
}

/** What we tell everybody of this peer. */
export function tellOpinion(peer: PeerState, nowMs: number, { deadtimeMs }: MembershipConfig): PeerOpinion {
  const refused = peer.fenced && peer.generation <= peer.refusedGeneration;
  return {
    id: peer.id,
    generation: peer.generation,
    opinion: refused ? "fenced" : peer.phase,
    heard: peer.heardAtMs !== undefined && nowMs - peer.heardAtMs < deadtimeMs,
    echo: (peer.heartbeat?.beat ?? 0) % 65_536,
  };
}
