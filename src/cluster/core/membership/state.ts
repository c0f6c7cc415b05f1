/**
 * The state of membership: what this node knows of itself, of each peer, and of each peer on each link. Plain data.
 * Times are the local monotonic clock's, but `sentAtMs`, which is the peer's.
 * What is not known is `undefined`, and its key is there all the same, from the start on and in the same order: each
 * packet makes a new state, and V8 copies objects of one shape some ten times faster than those of many.
 */
import { entryOf } from "../../../base/record.ts";
import type { LinkKind } from "../../../cib/node-links.ts";
import type { Heartbeat } from "../wire/heartbeat.ts";
import { type LinkHistory, NO_HISTORY } from "./link-history.ts";
import { type PeerClock, UNKNOWN_CLOCK } from "./peer-clock.ts";
import type { PeerPhase } from "./view.ts";

export interface MembershipLink {
  readonly name: string;
  readonly kind: LinkKind;
  /** The peers that can be heard on it. */
  readonly peers: readonly string[];
}

export interface MembershipConfig {
  readonly self: string;
  readonly nodes: readonly { readonly name: string; readonly id: number }[];
  readonly links: readonly MembershipLink[];
  readonly keepaliveMs: number;
  readonly warntimeMs: number;
  readonly deadtimeMs: number;
  readonly initdeadMs: number;
  /** Without it a pair is decided by its fencing, and more nodes by their majority. */
  readonly quorum?: { readonly waitForAll: boolean; readonly tieBreaker: "none" | "ping" | "disk" };
  /** This node ends itself when it has lost quorum for `leaseMs`, in the worst case within `endsWithinMs`. */
  readonly lease?: { readonly leaseMs: number; readonly endsWithinMs: number };
}

/** One peer on one link. */
export interface LinkState {
  readonly state: "up" | "late" | "down";
  readonly heardAtMs: number | undefined;
  /** From here its silence counts: when it was heard last, put off by every pause of ours since. */
  readonly silentFromMs: number | undefined;
  /** Heartbeats in time since the link was down; it counts as up again after several. */
  readonly goodBeats: number;
  /** Which of the peer's last beats came by this link: see link-history.ts. */
  readonly history: LinkHistory;
}

export interface PeerState {
  readonly name: string;
  readonly id: number;
  readonly phase: PeerPhase;
  /** The latest start that we know of, remembered over our own restarts. */
  readonly generation: number;
  /** Starts up to this one were fenced or said goodbye: never listened to again. */
  readonly refusedGeneration: number;
  /** Whether the refused start was fenced, so that it must be told if it is still heard. */
  readonly fenced: boolean;
  readonly returned: boolean;
  /** The last heartbeat of this generation on any link. */
  readonly heardAtMs: number | undefined;
  /** From here its silence counts: when it was heard last, put off by every pause of ours since. */
  readonly silentFromMs: number | undefined;
  readonly joinedAtMs: number | undefined;
  /** The newest heartbeat, and when its first copy came: a slower link brings the same one again. */
  readonly heartbeat: Heartbeat | undefined;
  readonly heartbeatAtMs: number | undefined;
  /** A beat of ours, and when it went out, of which we wait to hear that the peer has heard it. */
  readonly asked: { readonly beat: number; readonly atMs: number } | undefined;
  /** When the last beat went out that the peer is known to have heard as that of a member. */
  readonly confirmedAtMs: number | undefined;
  /** Heard, and not a member because some member does not hear it, or it not that one: see rift.ts. */
  readonly heldOut: { readonly sinceMs: number; readonly isTold: boolean } | undefined;
  /** Only of a lost one: since when no member has heard it, by what they tell: see silent-end.ts. */
  readonly quiet: Quiet | undefined;
  /** How far the peer's clock has run ahead of ours since we hear it, and what is usual: see peer-clock.ts. */
  readonly clock: PeerClock;
  readonly links: Readonly<Record<string, LinkState>>;
}

/** The wait for a peer that has promised to end itself. */
export interface Quiet {
  readonly sinceMs: number;
  /** Who told so: the set must stay the same. */
  readonly members: number;
  /** After the wait every member has to answer this beat, so that none of them speaks of earlier. */
  readonly askedBeat?: number;
  /** It has ended: so long it was without a majority. */
  readonly endedAfterMs?: number;
}

export interface MembershipState {
  readonly config: MembershipConfig;
  /** Our own, of the configuration: asked for with every packet. */
  readonly id: number;
  readonly generation: number;
  /** A higher generation that is being written to disk before it is used. */
  readonly raisingTo: number | undefined;
  readonly epoch: number;
  /** Ids of the members, ourselves included; bit n is id n + 1. */
  readonly members: number;
  /** Our heartbeats are numbered, so that an echo of a number proves a round trip. */
  readonly beat: number;
  readonly nextBeatAtMs: number;
  /** Our start; until we are settled, put off by every pause of ours since. */
  readonly startedAtMs: number;
  /** Silence counts from here at the earliest: our start, put off by our pauses, or the end of a long one. */
  readonly listeningSinceMs: number;
  readonly settled: boolean;
  /** Every node was there once; for wait-for-all. */
  readonly seenAll: boolean;
  /** This node has the tie-breaker. */
  readonly tieHeld: boolean;
  /** Half of the nodes are left, and go for the lock that decides: see quorum.ts. */
  readonly tieWait: { readonly sinceMs: number; readonly isOver: boolean } | undefined;
  /** The last moment at which a majority is known to have heard us; undefined before there was one in this start. */
  readonly quorumAtMs: number | undefined;
  /** How many ping nodes we reach; undefined while not known. */
  readonly reachable: number | undefined;
  /** Set after a pause: which beat a peer must have heard before we trust ourselves. */
  readonly hold: { readonly reason: string; readonly untilEchoOf: number } | undefined;
  /** Members that do not hear each other, and since when: see rift.ts. */
  readonly rift: { readonly parted: readonly number[]; readonly sinceMs: number } | undefined;
  /** How many goodbyes are still to be sent; undefined while we stay. */
  readonly goodbyes: number | undefined;
  readonly selfFenced: boolean;
  readonly peers: readonly PeerState[];
}

export type MembershipEvent =
  /** Authenticated, of this cluster and not a replay: see wire/. */
  | {
      readonly kind: "heartbeat";
      readonly from: number;
      readonly link: string;
      readonly generation: number;
      readonly heartbeat: Heartbeat;
    }
  | { readonly kind: "tick" }
  /** The machine was suspended, and our clock stood still with it. */
  | { readonly kind: "suspended"; readonly sleptMs: number }
  | { readonly kind: "fencing-confirmed"; readonly name: string; readonly generation: number }
  /** A lost peer that returned may be a member again without having been fenced: nothing was taken over from it. */
  | { readonly kind: "peer-accepted"; readonly name: string }
  /** A member that promised to end itself has to: it will, as soon as it hears that it is lost. */
  | { readonly kind: "peer-declared-lost"; readonly name: string }
  | { readonly kind: "tie-breaker"; readonly held: boolean }
  | { readonly kind: "reachable"; readonly count: number }
  | { readonly kind: "persisted"; readonly generation: number }
  | { readonly kind: "leave" };

export type MembershipEffect =
  /** To be sent now on every link, under the given generation. */
  | { readonly kind: "send-heartbeat"; readonly generation: number; readonly heartbeat: Heartbeat }
  /** To be on disk before `persisted` is answered. */
  | { readonly kind: "persist"; readonly generation: number; readonly peers: Readonly<Record<string, number>> }
  | { readonly kind: "peer-joined"; readonly name: string; readonly generation: number }
  | { readonly kind: "peer-restarted"; readonly name: string; readonly generation: number }
  | { readonly kind: "peer-returned" | "peer-left"; readonly name: string }
  | { readonly kind: "peer-lost"; readonly name: string; readonly silentMs: number }
  | { readonly kind: "late-heartbeat"; readonly name: string; readonly silentMs: number }
  /**
   * It and other members do not hear each other: lost to us for that, or for long not made a member; `kept-out`: we and
   * those others do not, and it does not take us in. See rift.ts.
   */
  | { readonly kind: "given-up" | "held-out" | "kept-out"; readonly name: string; readonly unheard: readonly string[] }
  | { readonly kind: "link-up" | "link-late" | "link-down"; readonly link: string; readonly peer: string }
  | { readonly kind: "settled" }
  /** We slept: for so long our peers heard nothing of us. */
  | { readonly kind: "self-late"; readonly lateMs: number }
  | { readonly kind: "held" | "released"; readonly reason: string }
  | { readonly kind: "generation-raised"; readonly to: number; readonly reason: string }
  | { readonly kind: "self-fence"; readonly reason: string }
  /** All goodbyes have been sent. */
  | { readonly kind: "gone" };

/** What survived on disk: our last generation and those of the peers. */
export interface Remembered {
  readonly generation: number;
  readonly peers: Readonly<Record<string, number>>;
}

/** The bit of the node with this id in a set of members. */
export const bitOfId = (id: number): number => 1 << (id - 1);

function idOf({ nodes }: MembershipConfig, name: string): number {
  for (const node of nodes) if (node.name === name) return node.id;
  throw new Error(`invariant broken: no node ${name}`);
}

/** The bit of a configured node in a set of members. */
export const bitOf = (config: MembershipConfig, name: string): number => bitOfId(idOf(config, name));

const NEW_LINK: LinkState = {
  state: "down",
  heardAtMs: undefined,
  silentFromMs: undefined,
  goodBeats: 0,
  history: NO_HISTORY,
};

/** Of which nothing is known but the generation. */
export function createPeer(
  known: Pick<PeerState, "name" | "id" | "generation" | "refusedGeneration" | "fenced" | "links">,
): PeerState {
  return {
    name: known.name,
    id: known.id,
    phase: "awaited",
    generation: known.generation,
    refusedGeneration: known.refusedGeneration,
    fenced: known.fenced,
    returned: false,
    heardAtMs: undefined,
    silentFromMs: undefined,
    joinedAtMs: undefined,
    heartbeat: undefined,
    heartbeatAtMs: undefined,
    asked: undefined,
    confirmedAtMs: undefined,
    heldOut: undefined,
    quiet: undefined,
    clock: UNKNOWN_CLOCK,
    links: known.links,
  };
}

/** The state at the start; `generation` is the one of this start, already on disk. */
export function createMembership(
  config: MembershipConfig,
  generation: number,
  remembered: Remembered["peers"],
  nowMs: number,
): MembershipState {
  const peers = config.nodes
    .filter(({ name }) => name !== config.self)
    .map(({ name, id }): PeerState => {
      const ofPeer = config.links.filter((link) => link.peers.includes(name));
      const links = Object.fromEntries(ofPeer.map((link) => [link.name, NEW_LINK]));
      return createPeer({
        name,
        id,
        generation: entryOf(remembered, name) ?? 0,
        refusedGeneration: 0,
        fenced: false,
        links,
      });
    });
  return {
    config,
    id: idOf(config, config.self),
    generation,
    raisingTo: undefined,
    epoch: 0,
    members: bitOf(config, config.self),
    beat: 0,
    nextBeatAtMs: nowMs,
    startedAtMs: nowMs,
    listeningSinceMs: nowMs,
    settled: false,
    seenAll: false,
    tieHeld: false,
    tieWait: undefined,
    quorumAtMs: undefined,
    reachable: undefined,
    hold: undefined,
    rift: undefined,
    goodbyes: undefined,
    selfFenced: false,
    peers,
  };
}
