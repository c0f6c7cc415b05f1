/**
 * The plan as a value: steps (what might be done, wanted for its own sake or not) and the links between them. It is
 * collected on a draft (draft.ts) and closed before anything is concluded from it; nobody writes on it afterwards.
 * What must happen, what cannot and why stands beside it, by the index of the step (settle.ts); what is done in the end
 * are actions (actions.ts).
 */
import type { Facts, Node, Resource } from "../facts/model.ts";
import type { Board } from "../place/board.ts";

export type StepKind = "resource" | "pseudo" | "cluster" | "fence";
/** Whether fencing or quorum must be had first. */
export type Needs = "nothing" | "quorum" | "fencing";

export interface Step {
  readonly index: number;
  /** With the instance number, as in `rsc:1_start_0`. */
  readonly key: string;
  readonly operation: string;
  readonly resource: Resource | undefined;
  readonly node: Node | undefined;
  readonly intervalMs: number;
  readonly kind: StepKind;
  /** The cluster may act on its resource; also when it has none. */
  readonly managed: boolean;
  readonly needs: Needs;
  readonly meta: Readonly<Record<string, string>>;
  readonly expectedCode: number;
  readonly priority: number;
  /** For fencing: what it does. */
  readonly fenceKind: "off" | "on" | "reboot" | undefined;
  /** Made true by something else: a stop by a fencing, a start by a hand-over. */
  readonly implied: boolean;
  /** A start that is given again although nothing is known to run: no stop goes with it. */
  readonly alone: boolean;
  /** For its own sake, and for what reason. A step that nobody wants is there to be drawn in by its links. */
  readonly wanted: boolean;
  readonly wantedFor: string;
  /** Nothing at its own place keeps it from running. */
  readonly possible: boolean;
}

/** What a link does, beside putting one before the other. */
export interface LinkRules {
  /** The first is required: so is the second. */
  readonly firstDragsThen?: boolean;
  /** The second is required: so is the first. */
  readonly thenDragsFirst?: boolean;
  /** The first cannot run: nor can the second. */
  readonly needsFirst?: boolean;
  /** Stop and start of one resource: what cannot be started again, or must be, is stopped. */
  readonly restart?: boolean;
  /** For demote before stop: the stop drags it in only while the resource is promoted. */
  readonly promotedDrags?: boolean;
  readonly asymmetric?: boolean;
  /** No more than an order: of an order constraint of that kind. */
  readonly optional?: boolean;
  /** Only flags pass; no edge in the graph. */
  readonly hidden?: boolean;
  /** At least so many firsts must be runnable. */
  readonly gate?: boolean;
  /** Where the second's members are: what a clone does elsewhere is no matter of theirs. */
  readonly at?: Node | undefined;
  /** The first is wanted and cannot run: the second must not run without it. */
  readonly blockedWith?: string | undefined;
  /** What stands on the second: while it cannot be stopped, or is wanted and cannot be done, the second is not done. */
  readonly ground?: boolean;
  /** Heard only when all the others have had their say: what it keeps from running, they may have kept already. */
  readonly late?: boolean;
}

export interface Link extends LinkRules {
  readonly first: Step;
  readonly second: Step;
}

/** A pseudo step whose flags are those of its members. */
export interface Collective {
  readonly step: Step;
  readonly members: readonly Step[];
  /** `all`: cannot run when a member cannot, `wanted`: a required member; `any`: can while one can; `free`: always. */
  readonly mode: "all" | "wanted" | "any" | "free";
}

/** A step that runs once at least so many of those that link to it as to a gate can. */
export interface Gate {
  readonly step: Step;
  readonly min: number;
}

/** What waits for a resource's stop, and so for the probes that may find it running. */
export interface StopWait {
  readonly resource: Resource;
  readonly second: Step;
  readonly sameNode: boolean;
}

/** What is known and decided before anything is planned. */
export interface Placed {
  readonly facts: Facts;
  readonly board: Board;
}

export interface Plan extends Placed {
  readonly steps: readonly Step[];
  readonly links: readonly Link[];
  readonly collectives: readonly Collective[];
  readonly gates: readonly Gate[];
  readonly stopWaits: readonly StopWait[];
  /** By resource index. */
  readonly byResource: readonly (readonly Step[])[];
  /** By resource index, then by what stands behind the resource's id in the key. */
  readonly bySuffix: readonly ReadonlyMap<string, readonly Step[]>[];
}

const NONE: readonly Step[] = [];
/** Operations come from the CIB: no hostile one may fill the memory with names. */
const SUFFIXES_MAX = 100;

/** The few suffixes without an interval, made once: looking for steps is what planning does most. */
const plainSuffixes = new Map<string, string>();

function suffixOf(operation: string, intervalMs: number): string {
  if (intervalMs !== 0) return `${operation}_${intervalMs}`;
  let suffix = plainSuffixes.get(operation);
  if (suffix === undefined) {
    suffix = `${operation}_0`;
    if (plainSuffixes.size < SUFFIXES_MAX) plainSuffixes.set(operation, suffix);
  }
  return suffix;
}

export function suffixIn(key: string, { id }: Resource): string {
  return key.startsWith(id) && key[id.length] === "_" ? key.slice(id.length + 1) : key;
}

export function keyOf(resource: Resource, operation: string, intervalMs = 0): string {
  return `${resource.id}_${suffixOf(operation, intervalMs)}`;
}

/** All steps of the resource with that operation, on any node. */
export function stepsOf(plan: Plan, resource: Resource, operation: string, intervalMs = 0): readonly Step[] {
  return plan.bySuffix[resource.index]?.get(suffixOf(operation, intervalMs)) ?? NONE;
}

/** All steps of the resource under that key. */
export function stepsNamed(plan: Plan, resource: Resource, key: string): readonly Step[] {
  return plan.bySuffix[resource.index]?.get(suffixIn(key, resource)) ?? NONE;
}

export const isProbe = ({ operation, intervalMs }: Pick<Step, "operation" | "intervalMs">): boolean =>
  operation === "monitor" && intervalMs === 0;

/** A step as reasons name it. */
export function describe({
  resource,
  operation,
  key,
  kind,
}: Pick<Step, "resource" | "operation" | "key" | "kind">): string {
  if (kind === "fence") return operation;
  return resource === undefined ? key : `${resource.id} ${operation}`;
}
