/**
 * The plan on which the acting passes write: steps (actions, wanted or merely possible) and the links between them.
 * A step that is not `required` is there to be drawn in: when something it is linked to must happen.
 * Local to the passes in `act/`; `print/` turns what is settled into a transition.
 */
import type { Facts, Node, Resource } from "../facts/model.ts";
import { type Board, isManaged } from "../place/board.ts";

export type StepKind = "resource" | "pseudo" | "cluster" | "fence";

export interface Step {
  readonly index: number;
  /** With the instance number, as in `rsc:1_start_0`. */
  readonly key: string;
  readonly operation: string;
  readonly resource: Resource | undefined;
  readonly node: Node | undefined;
  readonly intervalMs: number;
  kind: StepKind;
  required: boolean;
  runnable: boolean;
  /** The cluster may act on its resource; also when it has none. */
  readonly managed: boolean;
  /** In the graph even when not required. */
  always: boolean;
  /** Whether fencing or quorum must be had first. */
  needs: "nothing" | "quorum" | "fencing";
  reason: string;
  readonly meta: Record<string, string>;
  expectedCode: number;
  priority: number;
  /** For fencing: what it does; the reasons. */
  fenceKind?: "off" | "on" | "reboot";
  /** Live migration is possible so far. */
  migratable: boolean;
  dropped: boolean;
  /** A stop or demote that a fencing makes true. */
  implied: boolean;
  /** A start that is given again although nothing is known to run: no stop goes with it. */
  alone: boolean;
  /** Somebody waits for it, although it has no place: that it is wanted is told. */
  awaited: boolean;
  parameters?: Readonly<Record<string, string>>;
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
  readonly at?: Node;
  /** Edge only between steps of the same node. */
  readonly sameNode?: boolean;
  readonly serialize?: boolean;
  /** The first is wanted and cannot run: the second must not run without it. */
  readonly blockedWith?: string;
  /** What stands on the second: while it cannot be stopped, or is wanted and cannot be done, the second is not done. */
  readonly ground?: boolean;
  /** From a member to the end of its whole. */
  readonly ends?: boolean;
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

export interface Plan {
  readonly facts: Facts;
  readonly board: Board;
  readonly steps: Step[];
  readonly links: Link[];
  readonly collectives: Collective[];
  readonly gates: { readonly step: Step; readonly min: number }[];
  /** What waits for a resource's stop, and so for the probes that may find it running. */
  readonly stopWaits: { readonly resource: Resource; readonly second: Step; readonly sameNode: boolean }[];
  readonly byResource: Step[][];
  /** By resource index, then by what stands behind the resource's id in the key. */
  readonly bySuffix: Map<string, Step[]>[];
  /** Steps that belong to no resource. */
  readonly byKey: Map<string, Step[]>;
}

const NONE: readonly Step[] = [];
/** Operations come from the CIB: no hostile one may fill the memory with names. */
const SUFFIXES_MAX = 100;

export function emptyPlan(facts: Facts, board: Board): Plan {
  return {
    facts,
    board,
    steps: [],
    links: [],
    collectives: [],
    gates: [],
    stopWaits: [],
    byResource: facts.resources.map(() => []),
    bySuffix: facts.resources.map(() => new Map()),
    byKey: new Map(),
  };
}

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

function suffixIn(key: string, { id }: Resource): string {
  return key.startsWith(id) && key[id.length] === "_" ? key.slice(id.length + 1) : key;
}

export function keyOf(resource: Resource, operation: string, intervalMs = 0): string {
  return `${resource.id}_${suffixOf(operation, intervalMs)}`;
}

export interface StepWish {
  readonly resource?: Resource | undefined;
  readonly node?: Node | undefined;
  readonly operation: string;
  readonly intervalMs?: number;
  readonly key?: string;
  readonly kind?: StepKind;
  readonly required?: boolean;
  readonly runnable?: boolean;
  readonly reason?: string;
}

/** The step of that key on that node, made if it is not there; required as soon as anyone requires it. */
export function step(plan: Plan, wish: StepWish): Step {
  const { resource, node, operation, intervalMs = 0, kind = "resource", required = false, reason = "" } = wish;
  const key = wish.key ?? (resource === undefined ? operation : keyOf(resource, operation, intervalMs));
  const same = resource === undefined ? plan.byKey : plan.bySuffix[resource.index];
  const name = resource === undefined ? key : suffixIn(key, resource);
  const known = same?.get(name);
  const found = known?.find((each) => each.node === node && each.operation === operation);
  if (found !== undefined) {
    if (required && !found.required) {
      found.required = true;
      found.reason = reason;
    }
    return found;
  }
  const created: Step = {
    index: plan.steps.length,
    key,
    operation,
    resource,
    node,
    intervalMs,
    kind,
    required,
    runnable: wish.runnable ?? true,
    managed: resource === undefined || isManaged(plan.board, resource),
    always: false,
    needs: "nothing",
    reason,
    meta: {},
    expectedCode: 0,
    priority: 0,
    migratable: false,
    dropped: false,
    implied: false,
    alone: false,
    awaited: false,
  };
  plan.steps.push(created);
  if (resource !== undefined) plan.byResource[resource.index]?.push(created);
  if (known === undefined) same?.set(name, [created]);
  else known.push(created);
  return created;
}

/** Puts a step of a resource where another one stands in the order, which then comes last. */
export function takePlace(plan: Plan, taker: Step, giver: Step): void {
  const own = taker.resource === undefined ? undefined : plan.byResource[taker.resource.index];
  const [to, from] = [own?.indexOf(giver) ?? -1, own?.indexOf(taker) ?? -1];
  if (own === undefined || to < 0 || from < 0) return;
  own[to] = taker;
  own[from] = giver;
}

/** All steps of the resource with that operation, on any node. */
export function stepsOf(plan: Plan, resource: Resource, operation: string, intervalMs = 0): readonly Step[] {
  return plan.bySuffix[resource.index]?.get(suffixOf(operation, intervalMs)) ?? NONE;
}

/** All steps of the resource under that key. */
export function stepsNamed(plan: Plan, resource: Resource, key: string): readonly Step[] {
  return plan.bySuffix[resource.index]?.get(suffixIn(key, resource)) ?? NONE;
}

export const isProbe = ({ operation, intervalMs }: Step): boolean => operation === "monitor" && intervalMs === 0;

/** A step as reasons name it. */
export function describe({ resource, operation, key, kind }: Step): string {
  if (kind === "fence") return operation;
  return resource === undefined ? key : `${resource.id} ${operation}`;
}

/** All links are of one shape: settling does little else than read them. */
const NO_RULES: LinkRules = {
  firstDragsThen: false,
  thenDragsFirst: false,
  needsFirst: false,
  restart: false,
  promotedDrags: false,
  asymmetric: false,
  optional: false,
  hidden: false,
  gate: false,
  sameNode: false,
  serialize: false,
  ground: false,
  ends: false,
};

export function link(plan: Plan, first: Step, second: Step, rules: LinkRules = NO_RULES): void {
  if (first === second) return;
  plan.links.push({ ...NO_RULES, ...rules, first, second });
}

export function linkAll(plan: Plan, firsts: readonly Step[], seconds: readonly Step[], rules: LinkRules = {}): void {
  for (const first of firsts) for (const second of seconds) link(plan, first, second, rules);
}
