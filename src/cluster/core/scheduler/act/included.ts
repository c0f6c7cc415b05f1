/** What of a settled plan makes the graph: steps that are required and can run, and the links between those. */
import type { Resource } from "../facts/model.ts";
import { isProbe, type Link, type Plan, type Step } from "./plan.ts";
import { isProbing } from "./probes.ts";

export interface Graph {
  /** In the order in which they are executed when nothing else decides. */
  readonly steps: readonly Step[];
  /** For each step the ones it waits for, without repetition. */
  readonly inputs: ReadonlyMap<Step, readonly Step[]>;
  /** Wanted, but kept from running. */
  readonly blocked: readonly Step[];
  /** All links between steps in the graph or blocked. */
  readonly edges: readonly { readonly first: Step; readonly second: Step; readonly firm: boolean }[];
}

function isIncluded(each: Step): boolean {
  return !each.dropped && each.runnable && (each.required || each.always) && !isLeftAlone(each);
}

/** Of an unmanaged resource nothing is touched, only watched. */
function isLeftAlone(each: Step): boolean {
  return isOfUnmanaged(each) && each.intervalMs === 0 && !["monitor", "notify", "delete"].includes(each.operation);
}

function isOfUnmanaged({ resource, kind, managed }: Step): boolean {
  return !managed && kind === "resource" && resource?.kind === "primitive";
}

/** Where an unmanaged resource cannot be looked for, nobody misses it. */
function isBlocked(each: Step): boolean {
  if (each.dropped || each.runnable || !each.required || isLeftAlone(each)) return false;
  return !(isOfUnmanaged(each) && isProbe(each));
}

function joins(each: Link): boolean {
  if (each.hidden === true) return false;
  return each.sameNode !== true || each.first.node === each.second.node;
}

/**
 * What stands in a resource as it is told: the instances by their numbers where they were looked for, else in the
 * order in which they were assigned or promoted.
 */
export function inTurn(plan: Plan, { index, parent, children }: Resource): readonly Resource[] {
  const ranks = parent?.kind === "bundle" || !isProbing(plan) ? plan.board.ranks[index] : undefined;
  return ranks ?? children;
}

/** Depth first as resources stand: a group's own steps before its members', a clone's after its instances'. */
function inOrder(plan: Plan): Step[] {
  const ordered: Step[] = [];
  const seen = new Set<Step>();
  const addAll = (list: readonly Step[]) => {
    for (let at = list.length - 1; at >= 0; at--) {
      const each = list[at];
      if (each === undefined || seen.has(each)) continue;
      seen.add(each);
      ordered.push(each);
    }
  };
  const visit = (resource: Resource) => {
    const own = plan.byResource[resource.index] ?? [];
    if (resource.kind === "group") addAll(own);
    for (const child of inTurn(plan, resource)) visit(child);
    if (resource.kind !== "group" && resource.kind !== "bundle") addAll(own);
  };
  for (const resource of plan.board.order) visit(resource);
  // What belongs to no resource, or to a bundle as a whole, comes last, fencing behind all.
  const rest = plan.steps.filter((each) => !seen.has(each));
  ordered.push(
    ...rest.filter(({ kind }) => kind !== "fence").reverse(),
    ...rest.filter(({ kind }) => kind === "fence").reverse(),
  );
  return ordered;
}

export function graphOf(plan: Plan): Graph {
  const ordered = inOrder(plan);
  const steps = ordered.filter(isIncluded);
  const blocked = ordered.filter(isBlocked);
  const [inside, wanted] = [new Set(steps), new Set([...steps, ...blocked])];
  const inputs = new Map<Step, Step[]>(steps.map((each) => [each, []]));
  const known = new Set<number>();
  const edges: { first: Step; second: Step; firm: boolean }[] = [];
  for (const each of plan.links) {
    const { first, second } = each;
    if (!wanted.has(first) || !wanted.has(second) || !joins(each)) continue;
    const id = first.index * plan.steps.length + second.index;
    if (known.has(id)) continue;
    known.add(id);
    const firm = inside.has(first) && inside.has(second);
    edges.push({ first, second, firm });
    if (firm) inputs.get(second)?.push(first);
  }
  return { steps, inputs, blocked, edges };
}
