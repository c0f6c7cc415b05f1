/**
 * The words of the controller: the part of a manager that follows the DC, and that is the DC when it is elected.
 * Plain data all of it. The DC's own messages to itself take the same way as those to the others.
 */
import type { XmlElement } from "../../../base/xml.ts";
import type { CibStoreEvent, ConfigurationOperation, StatusList } from "../cib-store/types.ts";
import type { Election, Hello } from "../election.ts";
import type { OperationResult } from "../executor/types.ts";
import type { MembershipView } from "../membership/view.ts";
import type { BlockedAction, Decision } from "../scheduler/decision.ts";
import type { FenceAction, ResourceAction } from "../transition/graph.ts";
import type { TransitionRun } from "../transition/run.ts";

/** The time of one step. Wall clock only for what people read and for dated rules. */
export interface Instant {
  readonly nowMs: number;
  readonly nowWallMs: number;
}

/** How a fencing ended. Only `confirmed` is a success; `unknown` means: assume that the node still runs. */
export interface FencingResult {
  readonly target: string;
  readonly action: "off" | "on" | "reboot";
  readonly outcome: "confirmed" | "not-done" | "unknown";
  readonly reason: string;
}

export type ControllerMessage =
  | { readonly kind: "hello"; readonly hello: Hello }
  /** DC to member: join me. Repeated until it is answered. */
  | { readonly kind: "join-offer"; readonly round: string }
  /** Member to DC: I follow you; this is all that I know of my resources. */
  | {
      readonly kind: "joined";
      readonly round: string;
      readonly generation: number;
      readonly incarnation: string;
      readonly lrm: XmlElement;
    }
  /** Member to DC: you gave me an order in a reign that I have not joined; offer it again. */
  | { readonly kind: "join-wanted"; readonly round: string }
  | {
      readonly kind: "perform";
      readonly round: string;
      readonly transitionKey: string;
      readonly action: ResourceAction;
    }
  /** DC to member: the transition is given up; what you have not begun of it is not wanted any more. */
  | { readonly kind: "withdraw"; readonly round: string }
  | { readonly kind: "result"; readonly result: OperationResult; readonly wallMs: number }
  /** A recurring operation answers something else than it should. */
  | { readonly kind: "unexpected"; readonly failure: OperationFailure }
  /** DC to member: forget the failures (or the whole history) of a resource. */
  | { readonly kind: "clear"; readonly round: string; readonly resource: string; readonly scope: ClearScope }
  /** Member to DC: an operator wants failures forgotten, on one node or everywhere. */
  | { readonly kind: "cleanup-request"; readonly resource: string; readonly node?: string }
  | { readonly kind: "shutdown-request"; readonly wallMs: number }
  /** DC to member: your resources have stopped, you may leave. */
  | { readonly kind: "leave"; readonly round: string }
  /** DC to all: that node was confirmed off; its present start is never listened to again. */
  | { readonly kind: "fenced"; readonly node: string; readonly generation: number }
  /** Member to DC: that peer, lost to my keeper, is heard again; may it be a member? */
  | { readonly kind: "returned"; readonly node: string }
  /** DC to member: it may; see `peer-accepted`. */
  | { readonly kind: "accepted"; readonly node: string }
  /** DC to all, for status displays. */
  | { readonly kind: "dc-report"; readonly report: DcReport };

export type ClearScope = "failures" | "history";

export interface OperationFailure {
  readonly resource: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly rcCode: number;
  readonly opStatus: number;
  readonly exitReason: string;
  readonly wallMs: number;
}

/** What only the DC knows, for everybody's status. */
export interface DcReport {
  readonly number: number;
  readonly isRunning: boolean;
  readonly actionCount: number;
  readonly doneCount: number;
  readonly inFlight: readonly string[];
  readonly summary: readonly string[];
  readonly blocked: readonly BlockedAction[];
  /** Why nothing has been decided for long, while that is so. */
  readonly heldUp?: string;
}

export interface Join {
  readonly phase: "offered" | "joined";
  readonly sinceMs: number;
  readonly offerDueAtMs: number;
  /** It has not answered for so long that the scheduler shall treat it as failed. */
  readonly overdue: boolean;
}

/** A fencing outlives the transition that has ordered it. */
export interface OpenFencing {
  readonly operation: "off" | "reboot";
  readonly sinceMs: number;
}

/** The state that only a DC has; made anew with each election. Of one shape throughout: see membership/state.ts. */
export interface Lead {
  /** Names this reign in every message. */
  readonly round: string;
  readonly joins: Readonly<Record<string, Join>>;
  /** The CIB store stands on the newest content of this view. */
  readonly synchronised: boolean;
  readonly run: TransitionRun | undefined;
  /** Nodes to be cut off, by name: asked for and not answered yet, whether or not the present run wants it. */
  readonly fencings: Readonly<Record<string, OpenFencing>>;
  /** A new decision is wanted, not before `atMs`. `isMinor`: for attributes alone, which may never come to rest. */
  readonly wanted: { readonly reason: string; readonly atMs: number; readonly isMinor: boolean } | undefined;
  /** Decisions in a row that were out of date when they came. */
  readonly outdated: number;
  /** The scheduler was asked under this number and has not answered. */
  readonly deciding: number | undefined;
  readonly nextNumber: number;
  /** Time alone will change the decision then; on the monotonic clock. */
  readonly recheckAtMs: number | undefined;
  /** Transitions in a row that did not complete: each makes the next wait longer. */
  readonly failedRuns: number;
  /** A peer is heard and on its way to become a member: decisions wait for it until then. */
  readonly awaitUntilMs: number | undefined;
  /** We were alone and are not any more: until then, whom we have lost may be about to be heard, too. */
  readonly healingUntilMs: number | undefined;
  /** The transient attributes as last decided upon; a change wants a new decision. */
  readonly attributesSeen: string;
  readonly blocked: readonly BlockedAction[];
  readonly summary: readonly string[];
  /** Nodes in the order in which they may fence each other, as last decided. */
  readonly fencingOrder: readonly string[];
  readonly reportDue: boolean;
  /** What the others were last told, and when. */
  readonly told: { readonly report: DcReport; readonly atMs: number } | undefined;
  /** What keeps it from deciding, since when, and whether that was told. */
  readonly heldUp: { readonly sinceMs: number; readonly why: string; readonly isTold: boolean } | null;
}

export interface ControllerState {
  readonly self: string;
  readonly incarnation: string;
  /** The nodes of the node configuration, with their ids there. */
  readonly nodes: readonly { readonly id: string; readonly name: string }[];
  readonly view: MembershipView | undefined;
  readonly election: Election;
  /** The reign that this node has joined. */
  readonly round: string | undefined;
  /** The CIB in force on this node: configuration and status. */
  readonly cib: XmlElement;
  readonly lead: Lead | undefined;
  readonly stopping:
    | {
        /** When the node was first asked to leave; this manager, or one before it. */
        readonly sinceMs: number;
        /** When this manager was. */
        readonly askedAtMs: number;
        readonly requestDueAtMs: number;
        readonly hasForerunner: boolean;
      }
    | undefined;
  /** A DC that may leave waits until then, so that the others have what it wrote last. */
  readonly leaveAtMs: number | undefined;
  readonly left: boolean;
  /** Starts of peers that were confirmed off, in the life of our keeper; kept over a restart of the manager. */
  readonly fenced: Readonly<Record<string, number>>;
  /** The last word of the DC about its work. */
  readonly dcReport: DcReport | undefined;
  /** Members whose managers speak a version too far from ours. */
  readonly strangers: readonly string[];
  /** Earlier managers have started something since this node has booted. */
  readonly hasBegun: boolean;
}

export type ControllerEvent =
  | { readonly kind: "view"; readonly view: MembershipView }
  | { readonly kind: "message"; readonly from: string; readonly message: ControllerMessage }
  /** What was on its way to or from a member is lost for good. */
  | { readonly kind: "messages-lost" }
  | { readonly kind: "cib"; readonly cib: XmlElement; readonly what: "configuration" | "status" }
  | { readonly kind: "synchronised" }
  | { readonly kind: "decision"; readonly number: number; readonly decision: Decision }
  /** From this node's executor. */
  | { readonly kind: "result"; readonly result: OperationResult }
  | { readonly kind: "unexpected"; readonly failure: OperationFailure }
  | { readonly kind: "fenced"; readonly result: FencingResult }
  | { readonly kind: "cleanup"; readonly resource: string; readonly node?: string }
  /**
   * This node is to leave. `alreadyMs`: for so long earlier starts of its manager have tried. `hasForerunner`: there
   * was such a start since the node has booted; what it has begun may run here though no history tells of it.
   */
  | { readonly kind: "stop"; readonly alreadyMs?: number; readonly hasForerunner: boolean }
  | { readonly kind: "tick" };

export type ControllerEffect =
  | { readonly kind: "send"; readonly to: string; readonly message: ControllerMessage }
  /** Status changes, for the CIB store. */
  | { readonly kind: "report"; readonly changes: StatusList }
  /** A change of the configuration that the DC makes by itself. */
  | { readonly kind: "submit"; readonly operations: readonly ConfigurationOperation[]; readonly why: string }
  | { readonly kind: "tell-store"; readonly event: Extract<CibStoreEvent, { kind: "view" | "follows" }> }
  | { readonly kind: "perform"; readonly action: ResourceAction; readonly transitionKey: string }
  | { readonly kind: "flush" }
  | { readonly kind: "clear"; readonly resource: string; readonly scope: ClearScope }
  /** Answer `joined` with the executor's whole history. */
  | { readonly kind: "answer-join"; readonly to: string; readonly round: string }
  /** Run the scheduler on the CIB of this state; the event `decision` answers. */
  | { readonly kind: "schedule"; readonly number: number; readonly quorate: boolean }
  /** `isTargetPreferred`: the target may be fencing us at this moment, and shall win. */
  | { readonly kind: "fence"; readonly action: FenceAction; readonly isTargetPreferred: boolean }
  /** The target has come back: a fencing that has not been begun is to be left undone. */
  | { readonly kind: "withdraw-fence"; readonly node: string }
  /** The keeper may forget what it holds against that peer; its starts up to `generation` are never heard again. */
  | { readonly kind: "peer-fenced"; readonly node: string; readonly generation: number }
  /** A lost peer that returned, unfenced, may be a member again. */
  | { readonly kind: "peer-accepted"; readonly node: string }
  /** This node has left the cluster. `clean`: nothing runs here any more. */
  | { readonly kind: "leave"; readonly clean: boolean }
  | { readonly kind: "log"; readonly level: "info" | "warning" | "error"; readonly text: string };
