/** What of all actions makes the graph: those that are required and can run, and the links between those. */
import type { Resource } from "../facts/model.ts";
import { type Action, actionsOf, type Conclusions, linksOf } from "./actions.ts";
import { isProbe, type Placed, type Plan } from "./plan.ts";
import { isProbing } from "./probes.ts";

export interface Graph {
  /** In the order in which they are executed when nothing else decides. */
  readonly steps: readonly Action[];
  /** For each one the ones it waits for, without repetition. */
  readonly inputs: ReadonlyMap<Action, readonly Action[]>;
  /** Wanted, but kept from running. */
  readonly blocked: readonly Action[];
  /** All links between actions in the graph or blocked. */
  readonly edges: readonly { readonly first: Action; readonly second: Action; readonly firm: boolean }[];
  /** All that was thought of, done or not; that of a plan's step under its index. */
  readonly actions: readonly Action[];
  /** By resource index. */
  readonly byResource: readonly (readonly Action[])[];
}

function isIncluded(each: Action): boolean {
  return each.runnable && each.required && !isLeftAlone(each);
}

/** Of an unmanaged resource nothing is touched, only watched. */
function isLeftAlone(each: Action): boolean {
  return isOfUnmanaged(each) && each.intervalMs === 0 && !["monitor", "notify", "delete"].includes(each.operation);
}

function isOfUnmanaged({ resource, kind, managed }: Action): boolean {
  return !managed && kind === "resource" && resource?.kind === "primitive";
}

/** Where an unmanaged resource cannot be looked for, nobody misses it. */
function isBlocked(each: Action): boolean {
  if (each.runnable || !each.required || isLeftAlone(each)) return false;
  return !(isOfUnmanaged(each) && isProbe(each));
}

/**
 * What stands in a resource as it is told: the instances by their numbers where they were looked for, else in the
 * order in which they were assigned or promoted.
 */
export function inTurn(plan: Placed, { index, parent, children }: Resource): readonly Resource[] {
  const ranks = parent?.kind === "bundle" || !isProbing(plan) ? plan.board.ranks[index] : undefined;
  return ranks ?? children;
}

type ByResource = Graph["byResource"];

/** Those of the plan in its order, then those that were added. */
function listed(plan: Plan, actions: readonly Action[]): ByResource {
  const lists = plan.byResource.map((steps) => steps.flatMap(({ index }) => actions[index] ?? []));
  for (const each of actions.slice(plan.steps.length))
    if (each.resource !== undefined) lists[each.resource.index]?.push(each);
  return lists;
}

/** Depth first as resources stand: a group's own steps before its members', a clone's after its instances'. */
function inOrder(plan: Plan, actions: readonly Action[], byResource: ByResource): readonly Action[] {
  const ordered = new Set<Action>();
  const addAll = (list: readonly Action[]) => {
    for (let at = list.length - 1; at >= 0; at--) {
      const each = list[at];
      if (each !== undefined) ordered.add(each);
    }
  };
  const visit = (resource: Resource) => {
    const own = byResource[resource.index] ?? [];
    if (resource.kind === "group") addAll(own);
    for (const child of inTurn(plan, resource)) visit(child);
    if (resource.kind !== "group" && resource.kind !== "bundle") addAll(own);
  };
  for (const resource of plan.board.order) visit(resource);
  // What belongs to no resource, or to a bundle as a whole, comes last, fencing behind all.
  const rest = actions.filter((each) => !ordered.has(each));
  addAll(rest.filter(({ kind }) => kind !== "fence"));
  addAll(rest.filter(({ kind }) => kind === "fence"));
  return [...ordered];
}

export function graphOf(plan: Plan, conclusions: Conclusions): Graph {
  const actions = actionsOf(plan, conclusions);
  const byResource = listed(plan, actions);
  const ordered = inOrder(plan, actions, byResource);
  const steps = ordered.filter(isIncluded);
  const blocked = ordered.filter(isBlocked);
  const [inside, wanted] = [new Set(steps), new Set([...steps, ...blocked])];
  const inputs = new Map<Action, Action[]>(steps.map((each) => [each, []]));
  const known = new Set<number>();
  const edges: { first: Action; second: Action; firm: boolean }[] = [];
  for (const each of linksOf(plan, conclusions)) {
    if (each.hidden === true) continue;
    const [first, second] = [actions[each.first.index], actions[each.second.index]];
    if (first === undefined || second === undefined || !wanted.has(first) || !wanted.has(second)) continue;
    const id = first.index * actions.length + second.index;
    if (known.has(id)) continue;
    known.add(id);
    const firm = inside.has(first) && inside.has(second);
    edges.push({ first, second, firm });
    if (firm) inputs.get(second)?.push(first);
  }
  return { steps, inputs, blocked, edges, actions, byResource };
}
