/**
 * A transition: what the scheduler decided, as a graph of actions that the DC carries out.
 * An action may start as soon as all its `inputs` have succeeded. The words (operation keys, pseudo operations) are
 * Pacemaker's, so that every graph can be printed as a transition_graph and compared with crm_simulate's.
 */

/** Why an action is there: a stable code and its facts; `cluster/core/scheduler/reason-text` prints it per language. */
export interface Reason {
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
}

export interface ResourceIdentity {
  /** As the executor knows it; instances of anonymous clones without a number. */
  readonly id: string;
  /** With the instance number, where that differs: `drbd:1`. */
  readonly longId?: string;
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

interface ActionBase {
  /** Unique within the transition, from 1. */
  readonly id: number;
  /** `RESOURCE_OPERATION_INTERVALMS`, `stonith-NODE-off`, `load_stopped_NODE`, ... */
  readonly key: string;
  readonly priority: number;
  /** Ids of the actions that must have succeeded before this one starts. */
  readonly inputs: readonly number[];
  readonly reason: Reason;
}

export interface ResourceAction extends ActionBase {
  readonly kind: "resource";
  /** `start`, `monitor`, `promote`, `notify`, `cancel`, `delete`, ... */
  readonly operation: string;
  /** The node whose executor runs it. */
  readonly node: string;
  readonly resource: ResourceIdentity;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** How long the node waits with it after the order; its timeout counts from then. */
  readonly startDelayMs?: number;
  /** Once it has stopped here it is locked to this node; wall clock, since when. */
  readonly lockedSinceSeconds?: number;
  /** The agent's own parameters: OCF_RESKEY_<name>. */
  readonly parameters: Readonly<Record<string, string>>;
  /** CRM_meta_<name>: everything else the agent and the executor are told, notify lists included. */
  readonly meta: Readonly<Record<string, string>>;
  /** The exit code that confirms the expectation (7 for a probe that expects a stopped resource); default 0. */
  readonly expectedCode: number;
}

/** Nothing is run: a point in the order (`group_start_0`), or the note that an action is implied by a fencing. */
export interface PseudoAction extends ActionBase {
  readonly kind: "pseudo";
  readonly operation: string;
  readonly resourceId?: string;
  /** Only for pseudo actions that stand for a real one on a fenced node. */
  readonly node?: string;
}

/** Done by the cluster manager itself: `do_shutdown`, `clear_failcount`, `lrm_delete`. */
export interface ClusterAction extends ActionBase {
  readonly kind: "cluster";
  readonly operation: string;
  readonly node: string;
  readonly resourceId?: string;
  readonly meta: Readonly<Record<string, string>>;
}

export interface FenceAction extends ActionBase {
  readonly kind: "fence";
  readonly operation: "off" | "on" | "reboot";
  readonly target: string;
  readonly meta: Readonly<Record<string, string>>;
}

export type TransitionAction = ResourceAction | PseudoAction | ClusterAction | FenceAction;

export interface Transition {
  readonly actions: readonly TransitionAction[];
  readonly clusterDelayMs: number;
  readonly fencingTimeoutMs: number;
  /** 0: no limit but the executor's own. */
  readonly batchLimit: number;
  /** Of live migrations that a node takes part in at once; 0: no limit. */
  readonly migrationLimit: number;
  /** When time alone will change the decision (failure-timeout, dated rules); wall clock. */
  readonly recheckAtWallMs?: number;
  /** What changes, one line a resource or fenced node, as crm_simulate's Transition Summary: for logs and status. */
  readonly summary: readonly string[];
}
