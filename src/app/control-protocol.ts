/**
 * The control socket: what commands, handlers and the lab may ask of a running manager, and what it answers.
 * One unix socket per node (`control.sock` in the run directory, mode 0600), one JSON object a line, both ways.
 * Every line carries the protocol version; a manager refuses a version that it does not speak, and says which it does.
 * Unknown members are ignored, so that members may be added within a version. See docs/protocols/control-socket.md.
 */
import type { Problem } from "../base/problem.ts";
import type { Code } from "../cluster/core/advice/codes.ts";
import type { ConflictFact } from "../cluster/core/advice/situation.ts";
import type { ToldTrouble } from "../cluster/core/alerts/dispatch.ts";
import type { HistoryEntry } from "../cluster/core/cib-store/types.ts";
import type { ClockReading } from "../cluster/core/clock-skew.ts";
import type { KeeperReport } from "../cluster/core/keeper/report.ts";
import type { LinkView, PeerPhase } from "../cluster/core/membership/view.ts";
import type { Lease } from "../cluster/core/overrides/lease.ts";
import type { FencingRecord, FencingStatus, ProofStatus } from "./fencing-report.ts";

export const CONTROL_VERSION = 1;
/** File name of the socket in the run directory. */
export const CONTROL_SOCKET = "control.sock";
/** Run directory where neither `--run` nor GEMEL_RUN names another one. */
export const RUN_DIRECTORY = "/run/gemel";
/** Longest line either side accepts: a CIB of the greatest size seen (0.8 MB), escaped, with room to spare. */
export const LINE_LENGTH_MAX = 4 * 1024 * 1024;

/** Who asks, for history and logs: `user@tool`. Never trusted for rights: those go by the kernel's word. */
interface RequestBase {
  readonly by?: string;
}

export type ControlRequest = RequestBase &
  (
    | { readonly kind: "status" }
    /** The CIB as this node holds it; `section` names a child of `cib` or of `configuration`; whole without it. */
    | { readonly kind: "cib-query"; readonly section?: string }
    /**
     * Replaces or updates (by id) the configuration section. `xml` is a `cib` or `configuration` element. With `base`
     * (`admin_epoch.epoch`) it is refused when the configuration has changed since. Answered when every member has
     * the change on disk.
     */
    | {
        readonly kind: "cib-apply";
        readonly mode: "replace" | "update";
        readonly xml: string;
        readonly base?: string;
        /** Undone after so long, unless confirmed before. */
        readonly trialMs?: number;
        /** Who and what made the change, for the history; the request's own kind without it. */
        readonly door?: string;
        /** The version counts up though nothing differs, so that what was saved before is older. */
        readonly raises?: "epoch" | "admin-epoch";
      }
    /** Who changed what, oldest first. */
    | { readonly kind: "config-log" }
    /** The configuration of an earlier version (`ADMIN.EPOCH`), as far as this node has kept it. */
    | { readonly kind: "config-version"; readonly version: string }
    /** The trial that is on shall stay. */
    | { readonly kind: "config-confirm" }
    /**
     * A node attribute; no value deletes it. `reboot`: transient, in the status section; with a dampening it is written
     * when that is over; a private one never is. `keeps`: only the dampening is meant.
     */
    | {
        readonly kind: "attribute";
        readonly node?: string;
        readonly name: string;
        readonly value?: string;
        readonly lifetime: "reboot" | "forever";
        readonly dampenMs?: number;
        readonly isPrivate?: boolean;
        readonly keeps?: boolean;
      }
    /** Transient ones as they are now: also before they are in the CIB, and private ones. All nodes without `node`. */
    | { readonly kind: "attribute-query"; readonly name: string; readonly node?: string }
    /** An attribute of a ticket (`granted`, `standby`); no value deletes it, no name the ticket's whole state. */
    | { readonly kind: "ticket"; readonly ticket: string; readonly name?: string; readonly value?: string }
    /** DRBD's fence-peer handler: waits until something is proven, at most `waitMs`. */
    | { readonly kind: "fence-peer"; readonly resource: string; readonly peer?: string; readonly waitMs: number }
    | {
        readonly kind: "fence";
        readonly target: string;
        readonly action: "off" | "on" | "reboot";
        /** Nor those that the configuration gives to its devices. */
        readonly withoutDelay?: boolean;
      }
    /** An operator's word that `target` is powered off; refused while the target is heard on any link. */
    | { readonly kind: "fence-confirm"; readonly target: string; readonly terminal?: string }
    | { readonly kind: "fence-history" }
    /** Looks at one fencing device of this node, or at all of them, now. */
    | { readonly kind: "fence-prove"; readonly device?: string }
    /** Switches a node that runs nothing off and on again, by the devices of one topology level. */
    | { readonly kind: "fence-drill"; readonly target: string; readonly level: number }
    /** An override holds for `lifetime` (`PT1H`, `30min`, `forever`; else what the configuration says). */
    | {
        readonly kind: "node";
        readonly node: string;
        readonly action: "standby" | "online" | "maintenance" | "ready";
        readonly lifetime?: string;
        readonly reason?: string;
      }
    | {
        readonly kind: "resource";
        readonly resource: string;
        readonly action: ResourceRequestAction;
        readonly node?: string;
        readonly lifetime?: string;
        readonly reason?: string;
        /** move, ban: only for the promoted role. */
        readonly isPromoted?: boolean;
        /** move: also to where it runs already. */
        readonly isForced?: boolean;
        /** unmove: only what is over. */
        readonly isExpired?: boolean;
      }
    /** The cluster shall think that the resource has failed there. */
    | { readonly kind: "resource-fail"; readonly resource: string; readonly node: string }
    /** The last lines of a manager's log, oldest first; of this one without `node`. */
    | { readonly kind: "log"; readonly lines: number; readonly node?: string }
    /** What time the other members have. */
    | { readonly kind: "clocks" }
    /** Answered at once; then an `event` line at each change of the status (at most one each 100 ms) until closed. */
    | { readonly kind: "subscribe" }
    /** Who is there? Answered even before the cluster is up. */
    | { readonly kind: "ping" }
  );

export const RESOURCE_REQUEST_ACTIONS = [
  "start",
  "stop",
  "promote",
  "demote",
  "cleanup",
  "move",
  "ban",
  "unmove",
  "manage",
  "unmanage",
] as const;
export type ResourceRequestAction = (typeof RESOURCE_REQUEST_ACTIONS)[number];

export type RequestKind = ControlRequest["kind"];

/** How a node stands, in one word, as crm_mon says it. */
export type NodeState = "online" | "standby" | "maintenance" | "pending" | "offline" | "unclean";

export interface NodeStatus {
  readonly name: string;
  readonly state: NodeState;
  /** Of the peer as this node's keeper sees it; `self` for ourselves, `unknown` for a node the keeper does not know. */
  readonly membership: PeerPhase | "self" | "unknown";
  readonly isDc: boolean;
  /** Transient and permanent attributes, without fail counts. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface FailureStatus {
  readonly node: string;
  readonly resource: string;
  /** `monitor_10000` and the like. */
  readonly operation: string;
  readonly code: number;
  /** complete, Timed Out, Cancelled, Error, Not supported, Not installed. */
  readonly status: string;
  readonly callId: number;
  readonly atWallMs?: number;
  readonly exitReason: string;
}

export interface ActiveOn {
  readonly node: string;
  readonly role: "Started" | "Promoted" | "Unpromoted";
  /** When it was last seen to change there; absent when not known. */
  readonly sinceWallMs?: number;
}

export interface ResourceStatus {
  readonly id: string;
  /** `ocf:heartbeat:IPaddr2`. */
  readonly agent: string;
  /** The group or clone that holds it, outermost last. */
  readonly parents: readonly { readonly id: string; readonly kind: "group" | "clone" | "promotable" }[];
  readonly isManaged: boolean;
  /** Where no operator keeps the cluster from managing it: a failure or a lost ticket does, or want of fencing. */
  readonly heldBy?: "block" | "no-fencing";
  /** No target-role Stopped stands against it, nor against what holds it. */
  readonly isWanted: boolean;
  readonly active: readonly ActiveOn[];
  readonly failCounts: readonly { readonly node: string; readonly count: string; readonly threshold?: string }[];
}

export interface DrbdStatus {
  readonly resource: string;
  readonly role: string;
  readonly disk: string;
  readonly connection: string;
  readonly peerRole: string;
  readonly peerDisk: string;
  readonly replication: string;
  readonly outOfSyncKib: number;
  readonly isSuspended: boolean;
  /** Both disks say UpToDate, and yet they differ, or might unseen. */
  readonly doubt?: "out-of-sync" | "bitmap-left";
}

export interface TransitionStatus {
  readonly number: number;
  readonly isRunning: boolean;
  readonly actionCount: number;
  readonly doneCount: number;
  readonly inFlight: readonly string[];
  readonly summary: readonly string[];
}

/** Something that an operator should know or do, most urgent first. */
export interface StatusProblem {
  readonly severity: "error" | "warning";
  /** Its name for ever; `values` fill its texts in any language. */
  readonly code: Code;
  /** Of the how-to table; 0 for what stands beyond it. */
  readonly row: number;
  readonly values: Readonly<Record<string, string>>;
  /** In English. */
  readonly what: string;
  readonly doNow: string;
}

export interface StatusReport {
  readonly program: string;
  readonly self: string;
  readonly atWallMs: number;
  readonly dc?: string;
  readonly hasQuorum: boolean;
  /** False while it is too early to judge absent peers (initdead). */
  readonly isSettled: boolean;
  /** `admin_epoch.epoch.num_updates`. */
  readonly cibVersion: string;
  readonly nodes: readonly NodeStatus[];
  readonly links: readonly LinkView[];
  /** How this node's keeper is; absent for a moment after the manager's start. */
  readonly keeper?: KeeperReport;
  readonly resources: readonly ResourceStatus[];
  readonly failures: readonly FailureStatus[];
  readonly drbd: readonly DrbdStatus[];
  /** Why this node's disk does not take the configuration, while that is so. */
  readonly cibRefusal?: string;
  /** Both sides had changed the configuration, and nobody has changed anything since. */
  readonly conflict?: ConflictFact;
  /** The wall clocks of the other members beside this node's, as last asked for; absent before. */
  readonly clocks?: readonly ClockReading[];
  /** Alerts of any node that do not reach whom they are for; absent while all is well. */
  readonly alerts?: readonly ToldTrouble[];
  readonly fencing: FencingStatus;
  readonly transition: TransitionStatus;
  /** Manual overrides, with who set them and when they end. */
  readonly leases: readonly Lease[];
  readonly problems: readonly StatusProblem[];
}

/** Answer of fence-peer: the exit code for DRBD. 4 outdated, 6 peer is Primary, 7 fenced, 1 unsure. Never 5. */
export interface FencePeerAnswer {
  readonly exitCode: 4 | 6 | 7 | 1;
  readonly reason: string;
}

/** What each request is answered with. */
export interface ControlAnswers {
  readonly status: StatusReport;
  readonly "cib-query": { readonly version: string; readonly xml: string };
  readonly "cib-apply": { readonly version: string; readonly warnings: readonly Problem[] };
  readonly "config-log": { readonly version: string; readonly entries: readonly HistoryEntry[] };
  readonly "config-version": { readonly xml: string };
  readonly "config-confirm": Done;
  readonly attribute: Done;
  readonly ticket: Done;
  readonly "attribute-query": {
    readonly values: readonly { readonly node: string; readonly value: string }[];
  };
  readonly "fence-peer": FencePeerAnswer;
  readonly fence: FencingRecord;
  readonly "fence-confirm": Done;
  readonly "fence-history": { readonly history: readonly FencingRecord[]; readonly proofs: readonly ProofStatus[] };
  readonly "fence-prove": { readonly proofs: readonly ProofStatus[] };
  readonly "fence-drill": FencingRecord;
  readonly node: Done;
  readonly resource: Done;
  readonly "resource-fail": Done;
  readonly clocks: { readonly readings: readonly ClockReading[] };
  readonly log: { readonly lines: readonly string[] };
  readonly subscribe: Done;
  readonly ping: { readonly self: string; readonly program: string };
}

/** It was done; `text` says what, for the terminal. */
export interface Done {
  readonly text: string;
}

/** One line to the manager. `id` is the client's, greater than 0, and comes back with the answer. */
export interface RequestLine {
  readonly v: number;
  readonly id: number;
  readonly request: ControlRequest;
}

/** One line from the manager. */
export type AnswerLine =
  | {
      readonly v: number;
      readonly id: number;
      readonly kind: "answer";
      readonly value: unknown;
      readonly cautions?: readonly Problem[];
    }
  | {
      readonly v: number;
      readonly id: number;
      readonly kind: "refused";
      readonly problems: readonly Problem[];
      /** It may have been done, or come about yet. */
      readonly isOutcomeUnknown?: true;
    }
  | { readonly v: number; readonly id: number; readonly kind: "event"; readonly status: StatusReport };
