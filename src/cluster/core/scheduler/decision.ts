/**
 * What one run of the scheduler answers: the transition, and everything it was decided from, as plain data.
 * Consumers: the transition core runs `transition`; status displays read `nodes` and `resources`.
 * Nothing here is ever changed after it has been returned.
 */
import type { Problem } from "../../../base/problem.ts";
import type { Reason, Transition } from "../transition/graph.ts";

export type ResourceRole = "unknown" | "stopped" | "started" | "unpromoted" | "promoted";

/** A node as the CIB status tells it, before anything of the transition has run. */
export interface NodeStatus {
  readonly name: string;
  /** The id in the CIB; the scheduler and the executor speak in names. */
  readonly id: string;
  readonly kind: "member" | "remote" | "guest";
  readonly online: boolean;
  readonly unclean: boolean;
  readonly standby: boolean;
  readonly maintenance: boolean;
  readonly pending: boolean;
  readonly shuttingDown: boolean;
}

/** One primitive or clone instance, as the status tells it and as the transition wants it. */
export interface ResourceStatus {
  /** With the instance number for clones: `drbd:1`. */
  readonly id: string;
  /** Of its agent: `ocf`, `stonith`, ... */
  readonly class: string;
  readonly priority: number;
  readonly role: ResourceRole;
  /** Names of the nodes where it is active now. */
  readonly activeOn: readonly string[];
  readonly nextRole: ResourceRole;
  /** Where it shall be, undefined when nowhere. */
  readonly nextNode?: string;
  readonly managed: boolean;
  /** Not managed only because there is nothing to fence with. */
  readonly heldBack?: true;
  readonly failed: boolean;
  /** Blocked: a failure (on-fail=block, a failed stop without fencing) waits for an operator. */
  readonly blocked: boolean;
}

/** Wanted, but something keeps it from running. */
export interface BlockedAction {
  readonly key: string;
  readonly node?: string;
  readonly reason: Reason;
}

export interface ScheduleOptions {
  /** Overrides `have-quorum` of the CIB. */
  readonly quorate?: boolean;
  /** How far local time is ahead of UTC where the decision is made; without it rules mean UTC. */
  readonly zoneSeconds?: number;
}

export interface Decision {
  readonly transition: Transition;
  readonly blocked: readonly BlockedAction[];
  readonly nodes: readonly NodeStatus[];
  readonly resources: readonly ResourceStatus[];
  /** Configuration that was understood only in part: unknown options, dangling references. Never fatal. */
  readonly problems: readonly Problem[];
}
