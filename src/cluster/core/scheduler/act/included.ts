/** What of a settled plan makes the graph: steps that are required and can run, and the links between those. */
import type { Link, Plan, Step } from "./plan.ts";

export interface Graph {
  /** In the order in which they are executed when nothing else decides. */
  readonly steps: readonly Step[];
  /** For each step the ones it waits for, without repetition. */
  readonly inputs: ReadonlyMap<Step, readonly Step[]>;
  /** Wanted, but kept from running. */
  readonly blocked: readonly Step[];
  /** All links between steps in the graph or blocked. */
  readonly edges: readonly { readonly first: Step; readonly then: Step; readonly firm: boolean }[];
}

function isIncluded(each: Step): boolean {
  return !each.dropped && each.runnable && (each.required || each.always);
}

function isBlocked(each: Step): boolean {
  return !each.dropped && !each.runnable && each.required;
}

function joins(each: Link): boolean {
  if (each.hidden === true) return false;
  return each.sameNode !== true || each.first.node === each.then.node;
}

/** Depth first as resources stand: a group's own steps before its members', a clone's after its instances'. */
function inOrder(plan: Plan): Step[] {
  const ordered: Step[] = [];
  const seen = new Set<Step>();
  const addAll = (list: readonly Step[]) => {
    for (const each of [...list].reverse()) {
      if (seen.has(each)) continue;
      seen.add(each);
      ordered.push(each);
    }
  };
  const visit = (resource: Plan["facts"]["resources"][number]) => {
    const own = plan.byResource[resource.index] ?? [];
    if (resource.kind === "group") addAll(own);
    for (const child of resource.children) visit(child);
    if (resource.kind !== "group") addAll(own);
  };
  for (const resource of plan.facts.top) visit(resource);
  for (const each of plan.steps) if (!seen.has(each)) ordered.push(each);
  return ordered;
}

export function graphOf(plan: Plan): Graph {
  const ordered = inOrder(plan);
  const steps = ordered.filter(isIncluded);
  const blocked = ordered.filter(isBlocked);
  const [inside, wanted] = [new Set(steps), new Set([...steps, ...blocked])];
  const inputs = new Map<Step, Step[]>(steps.map((each) => [each, []]));
  const known = new Set<number>();
  const edges: { first: Step; then: Step; firm: boolean }[] = [];
  for (const each of plan.links) {
    const { first, then } = each;
    if (!wanted.has(first) || !wanted.has(then) || !joins(each)) continue;
    const id = first.index * plan.steps.length + then.index;
    if (known.has(id)) continue;
    known.add(id);
    const firm = inside.has(first) && inside.has(then);
    edges.push({ first, then, firm });
    if (firm) inputs.get(then)?.push(first);
  }
  return { steps, inputs, blocked, edges };
}
