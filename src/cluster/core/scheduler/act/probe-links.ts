/**
 * Who waits for probes: the start of the resource itself; the stop of what it depends on (it may be found running);
 * and the restart of what depends on it.
 * Facts: crm_simulate as a black box (cases order-first-probes, order3, group9).
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf, isActive, topOf } from "../facts/model.ts";
import { assignedOf, isCutOff } from "../place/board.ts";
import { completionOf } from "./constraints.ts";
import { link, type PlanDraft } from "./draft.ts";
import { isProbe, type Link, type Step, stepsOf } from "./plan.ts";

/** Every probe of the stopping resource comes before what waits for the stop. */
function linkWaitingForStops(plan: PlanDraft, probes: ReadonlyMap<Resource, readonly Step[]>): void {
  for (const { resource, second, sameNode } of plan.stopWaits)
    for (const probe of probes.get(resource) ?? [])
      if (!sameNode || second.node === undefined || probe.node === second.node) link(plan, probe, second);
}

/** The links along which a start that turns out not to be needed would make others restart. */
function dragging(plan: PlanDraft): ReadonlyMap<Step, readonly Link[]> {
  const after = new Map<Step, Link[]>();
  for (const each of plan.links)
    if (each.firstDragsThen === true && (each.hidden !== true || each.second.node !== undefined))
      after.set(each.first, [...(after.get(each.first) ?? []), each]);
  return after;
}

/**
 * The groups beside the probed one that start with its clone. Where instances keep to themselves, that is only the
 * first one that goes where the probed one goes.
 */
function groupsBeside(plan: PlanDraft, clone: Resource, own: Resource): readonly Resource[] {
  const node = assignedOf(plan.board, own);
  const reached = clone.interleave
    ? clone.children.filter((each) => node !== undefined && assignedOf(plan.board, each) === node).slice(0, 1)
    : clone.children;
  return reached.filter((each) => each.kind === "group" && each !== own);
}

/**
 * What would be restarted for this start waits for the probes, for they may find that no start is needed. Of a cloned
 * group it is what waits for the whole instance, and the clone's other groups, but not its own other members.
 */
function linkRestarts(plan: PlanDraft, probes: ReadonlyMap<Resource, readonly Step[]>): void {
  const after = dragging(plan);
  for (const [resource, own] of probes) {
    const clone = cloneOf(resource);
    const isGrouped = clone !== undefined && resource.parent?.kind === "group";
    // What waits for a group waits for its members' starts, not for what is found of one of them.
    const whole = clone ?? topOf(resource);
    const begun = [
      ...(isGrouped ? stepsOf(plan, resource.parent, "running") : stepsOf(plan, resource, "start")),
      ...(whole.kind === "group" ? [] : [...stepsOf(plan, whole, "running"), ...completionOf(plan, whole, "start")]),
    ];
    const reached = new Set<Step>();
    const reach = (start: Step) => {
      if (reached.has(start)) return;
      reached.add(start);
      for (const { second } of after.get(start) ?? []) reach(second);
      if (start.resource?.kind === "clone" && start.operation === "start")
        for (const instance of start.resource.children)
          for (const each of stepsOf(plan, instance, "start")) reach(each);
      // With an instance its clone is started anew, and so is what waits for the clone.
      const above = start.operation === "start" ? start.resource?.parent : undefined;
      if (above?.kind === "clone")
        for (const running of stepsOf(plan, above, "running"))
          for (const { second } of after.get(running) ?? []) reach(second);
    };
    for (const each of begun) for (const { second } of after.get(each) ?? []) reach(second);
    for (const group of isGrouped ? groupsBeside(plan, clone, resource.parent) : [])
      for (const member of group.children)
        for (const start of stepsOf(plan, member, "start")) if (start.node !== undefined) reach(start);
    for (const start of reached)
      if (start.operation === "start" && start.resource?.kind === "primitive" && start.resource !== resource)
        // What fencing makes stopped is stopped whatever a probe says.
        for (const stop of stepsOf(plan, start.resource, "stop"))
          if (stop.node?.unclean !== true) for (const probe of own) link(plan, probe, stop);
  }
}

/** What the start of one part stands for: the whole clone's, or those of all containers of a bundle. */
function startsWith(plan: PlanDraft, resource: Resource): readonly Step[] {
  if (resource.parent?.kind === "bundle")
    return resource.parent.replicas.flatMap(({ container }) => stepsOf(plan, container, "start"));
  return stepsOf(plan, cloneOf(resource) ?? resource, "start");
}

/** What starts in a container waits until it is known that the container itself runs nowhere yet. */
function linkContained(plan: PlanDraft, probes: ReadonlyMap<Resource, readonly Step[]>): void {
  for (const node of plan.facts.nodes) {
    const container = node.remote?.container;
    const own = container === undefined ? undefined : probes.get(container);
    if (container === undefined || own === undefined || stepsOf(plan, container, "start").length === 0) continue;
    for (const each of plan.steps) {
      if (each.node !== node || each.operation !== "start" || each.resource === undefined) continue;
      if (isActive(each.resource)) continue;
      for (const start of startsWith(plan, each.resource)) for (const probe of own) link(plan, probe, start);
    }
  }
}

export function linkProbes(plan: PlanDraft): void {
  const probes = new Map<Resource, Step[]>();
  for (const each of plan.steps)
    if (isProbe(each) && each.resource !== undefined)
      probes.set(each.resource, [...(probes.get(each.resource) ?? []), each]);
  for (const [resource, own] of probes) {
    const whole = cloneOf(resource) === undefined ? resource : topOf(resource);
    // What runs already is not stopped for want of a look elsewhere; where nobody can look, fencing makes it known.
    const isNeeded = ({ node }: Step) => !isActive(resource) && !(node !== undefined && isCutOff(plan.board, node));
    for (const start of stepsOf(plan, whole, "start"))
      for (const probe of own) link(plan, probe, start, isNeeded(probe) ? { needsFirst: true } : {});
  }
  linkWaitingForStops(plan, probes);
  linkRestarts(plan, probes);
  linkContained(plan, probes);
}
