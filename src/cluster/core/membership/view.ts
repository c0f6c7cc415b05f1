/**
 * What the keeper tells the manager about the cluster: the agreed view, each peer's phase, each link's state.
 * Plain data, sent as JSON over the pipe between the two processes, and the input of DC election and quorum.
 */
import type { LinkKind } from "../../../cib/node-links.ts";

/** `awaited`: not heard since our start; `left`: said goodbye; `lost`: silent for deadtime, not known to be dead. */
export type PeerPhase = "awaited" | "member" | "left" | "lost";

export interface PeerView {
  readonly name: string;
  readonly phase: PeerPhase;
  /** The peer's start that we hear or heard last; 0 while never heard. Grows with each start of its service. */
  readonly generation: number;
  /** How long since its last heartbeat on any link; undefined while never heard in this generation. */
  readonly silentMs?: number;
  /** A lost peer is heard again in the same generation: it ran on, unfenced. Fence it, or answer `peer-accepted`. */
  readonly returned: boolean;
  /** How many ping nodes it reaches, where it is a member and has told. */
  readonly reachable?: number;
  /** What its own watchdog has come to, where it has promised to end itself without quorum. */
  readonly promise?: PromiseView;
}

export interface PromiseView {
  readonly endsWithinMs: number;
  /** So long nobody of a majority must have heard it: the promised time, and what clocks may differ by. */
  readonly waitMs: number;
  /** Nobody here hears it, and the time runs. */
  readonly isQuiet: boolean;
  /** Its start must have ended: nobody of a majority has heard it for so long. */
  readonly endedAfterMs?: number;
}

export interface LinkView {
  readonly name: string;
  readonly kind: LinkKind;
  readonly peer: string;
  readonly state: "up" | "late" | "down";
}

export interface MembershipView {
  readonly self: string;
  /** Our own start; part of every message, so that a peer knows a restart from a slow day. */
  readonly generation: number;
  /** Grows whenever the agreed members change. */
  readonly epoch: number;
  /** All members by agreement of both sides, ourselves included, sorted by name. */
  readonly members: readonly string[];
  /** Every member has told this very epoch and these very members; false for a keepalive or so after each change. */
  readonly agreed: boolean;
  /** The members that tell another one. */
  readonly dissenting?: readonly string[];
  /** How many ping nodes we reach. */
  readonly reachable?: number;
  readonly peers: readonly PeerView[];
  readonly links: readonly LinkView[];
  /** False until initdead has passed or every configured node has been heard: too early to judge anybody. */
  readonly settled: boolean;
  /** Whether these members may decide: see quorum.ts. */
  readonly quorate: boolean;
  /**
   * Why nothing may be started, stopped, promoted or fenced now: this node slept and has not yet heard what its peers
   * think, or it is not known yet who has the tie-breaker.
   */
  readonly hold?: string;
}
