/**
 * The words between the executor of one node and the loop around it: state, events and effects, all plain data.
 * The executor runs what it is told (Pacemaker's local executor does the same); it never decides what shall run.
 */
import type { DiskWait } from "../../../storage/core/fence-desk.ts";
import type { ResourceAction, ResourceIdentity } from "../transition/graph.ts";
import type { DiskPause } from "./disk-wait.ts";
import type { LimitOptions, Limits } from "./limits.ts";
import type { Begun } from "./runs-with.ts";

/** How one run of an operation ended, as the edge saw it. */
export type Outcome =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "timeout" }
  /** Ended by our own `kill`: what it did is not known, and nobody asks for its result any more. */
  | { readonly kind: "killed" }
  /** There is no such agent on this node. */
  | { readonly kind: "not-installed"; readonly reason: string }
  /** It could not be run at all, or ended by a foreign signal. */
  | { readonly kind: "error"; readonly reason: string };

/** A node attribute that an agent sets, as a promotion score; no value: the attribute is removed. */
export interface AttributeUpdate {
  readonly name: string;
  readonly value?: string;
}

export type ExecutorEvent =
  /** `transitionKey`: `ACTION:TRANSITION:EXPECTED-CODE:UUID-OF-THE-DC`; it names the request in every answer. */
  | { readonly kind: "perform"; readonly action: ResourceAction; readonly transitionKey: string }
  | {
      readonly kind: "finished";
      readonly callId: number;
      readonly outcome: Outcome;
      readonly exitReason: string;
      readonly output: string;
      readonly attributes: readonly AttributeUpdate[];
      readonly execMs: number;
      /** Wall-clock instant at which the run ended; for the history only. */
      readonly endedWallMs: number;
    }
  /** Stops a recurring operation and takes it out of the history. */
  | { readonly kind: "cancel"; readonly resourceId: string; readonly operation: string; readonly intervalMs: number }
  /** Drops every operation that has not begun, as an aborted transition wants; what runs is left to end. */
  | { readonly kind: "flush" }
  /** Takes the recorded failures of a resource out of the history; all of them, or those of one operation. */
  | {
      readonly kind: "clear-failures";
      readonly resourceId: string;
      readonly operation?: string;
      readonly intervalMs?: number;
    }
  /** Something outside has changed what agents of this type see: their recurring operations are due now. */
  | { readonly kind: "look"; readonly agentType: string }
  /** Whether what this node writes to mirrored disks waits for a peer. */
  | { readonly kind: "disk"; readonly wait: DiskWait }
  /** How loaded the node is, or what the configuration allows; see limits.ts. */
  | { readonly kind: "load"; readonly load: number }
  | { readonly kind: "limits"; readonly options: LimitOptions }
  /** All resources that the configuration has now. */
  | { readonly kind: "configured"; readonly ids: readonly string[] }
  | { readonly kind: "tick" };

export interface OperationRun {
  readonly callId: number;
  readonly resource: ResourceIdentity;
  /** Instance name of the resource as the agent is told it: OCF_RESOURCE_INSTANCE. */
  readonly instance: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** Everything of the agent's contract that does not depend on paths; OCF_ROOT and PATH are the edge's. */
  readonly environment: Readonly<Record<string, string>>;
  /** A stop of what has failed here since it was begun: what its agent does not find any more may still run. */
  readonly afterFailure?: true;
}

export interface OperationResult {
  readonly transitionKey: string;
  readonly actionId: number;
  readonly resourceId: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly callId: number;
  readonly opStatus: number;
  readonly rcCode: number;
  readonly expectedCode: number;
  readonly exitReason: string;
  readonly execMs: number;
  readonly queueMs: number;
}

export type ExecutorEffect =
  | ({ readonly kind: "run" } & OperationRun)
  /** The run of that call shall end: TERM, then KILL; a `finished` with outcome `killed` follows. */
  | { readonly kind: "kill"; readonly callId: number }
  /** The answer to a `perform`, exactly one each. */
  | ({ readonly kind: "result" } & OperationResult)
  /**
   * What `lrmResourceXml(state, resourceId)` says has changed. `unexpected`: a recurring operation now answers
   * something else than it should, which nobody asked for; the DC has to decide anew.
   */
  | { readonly kind: "history-changed"; readonly resourceId: string; readonly unexpected: boolean }
  /** That a failure is not counted: see disk-wait.ts. */
  | { readonly kind: "log"; readonly level: "warning"; readonly text: string }
  | ({ readonly kind: "attribute"; readonly resourceId: string } & AttributeUpdate)
  /**
   * Before the runs that follow: what a later manager must know to end the resource, until it is taken back by null.
   * It holds for as long as the machine does not boot.
   */
  | { readonly kind: "keep-begun"; readonly resourceId: string; readonly begun: Begun | null };

/** One lrm_rsc_op of the CIB's status section, with its meaning. */
export interface HistoryRecord {
  readonly operation: string;
  readonly intervalMs: number;
  readonly callId: number;
  readonly rcCode: number;
  readonly opStatus: number;
  readonly transitionKey: string;
  readonly exitReason: string;
  readonly lastChangeWallMs: number;
  readonly execMs: number;
  readonly queueMs: number;
  readonly digest: string;
}

/** An operation that waits or runs. */
export interface Call {
  readonly callId: number;
  readonly action: ResourceAction;
  readonly transitionKey: string;
  readonly queuedAtMs: number;
  readonly digest: string;
  /** It was ordered with a delay, and does not begin before. */
  readonly notBeforeMs?: number;
}

export interface RunningCall extends Call {
  readonly startedAtMs: number;
  /** The probe that was ordered, where one of what was begun here is run before it. */
  readonly ordered?: Pick<Call, "action" | "digest">;
  /** Set once nobody wants the result any more and the run was told to end. */
  readonly cancelled: boolean;
}

export interface RecurringCall extends Call {
  /** When it shall run next; it is never due while it runs. */
  readonly dueAtMs: number;
  /** When somebody last wanted it to run at once; undefined once it has. */
  readonly lookedForAtMs?: number;
  /** Its last answer may be the doing of a disk that waits; told once for each time. */
  readonly isDoubted?: true;
  /** The request has had its answer; from then on only changes are told. */
  readonly answered: boolean;
}

/** A key stands there also where nothing is known: each run makes a new state, and V8 copies one shape far faster. */
export interface ResourceState {
  readonly identity: ResourceIdentity;
  /** In order of arrival; only the first may start, and only when nothing runs. */
  readonly waiting: readonly Call[];
  readonly running: RunningCall | undefined;
  /** See runs-with.ts. */
  readonly begun: Begun | undefined;
  /** Stopped because this node leaves, it waits for it: since when, on the wall clock. */
  readonly lockedSinceSeconds: number | undefined;
  /** By `OPERATION_INTERVALMS`. */
  readonly recurring: Readonly<Record<string, RecurringCall>>;
  /** By the id's suffix: `last_0`, `last_failure_0`, `monitor_10000`, `migrate_to_0`. */
  readonly history: Readonly<Record<string, HistoryRecord>>;
}

export interface ExecutorState {
  readonly node: string;
  readonly limits: Limits;
  readonly nextCallId: number;
  readonly resources: Readonly<Record<string, ResourceState>>;
  /** Undefined while no disk has had to wait. */
  readonly pause?: DiskPause;
}

/** What the core needs and does not know: a hash. Given with each step, since state is plain data. */
export interface ExecutorTools {
  /** MD5 of the text's UTF-8 bytes as lower-case hexadecimal. */
  readonly md5: (text: string) => string;
}
