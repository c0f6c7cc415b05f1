/**
 * Who waits for probes: the start of the resource itself; the stop of what it depends on (it may be found running);
 * and the restart of what depends on it.
 * Facts: crm_simulate as a black box (cases order-first-probes, order3, group9).
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf, isActive, topOf } from "../facts/model.ts";
import { type Link, link, type Plan, type Step, stepsOf } from "./plan.ts";

function isProbe(each: Step): boolean {
  return each.operation === "monitor" && each.intervalMs === 0 && each.resource !== undefined;
}

/** Every probe of the stopping resource comes before what waits for the stop. */
function linkWaitingForStops(plan: Plan, probes: ReadonlyMap<Resource, readonly Step[]>): void {
  for (const { resource, second, sameNode } of plan.stopWaits)
    for (const probe of probes.get(resource) ?? [])
      if (!sameNode || second.node === undefined || probe.node === second.node) link(plan, probe, second);
}

/** What would be restarted for this start waits for the probes, for they may find that no start is needed. */
function linkRestarts(plan: Plan, probes: ReadonlyMap<Resource, readonly Step[]>): void {
  const after = new Map<Step, Link[]>();
  for (const each of plan.links)
    if (each.firstDragsThen === true && (each.hidden !== true || each.second.node !== undefined))
      after.set(each.first, [...(after.get(each.first) ?? []), each]);
  for (const [resource, own] of probes) {
    const seen = new Set<Step>();
    const visit = (from: Step) => {
      for (const { second } of after.get(from) ?? []) {
        if (seen.has(second)) continue;
        seen.add(second);
        if (second.resource?.kind === "primitive" && second.resource !== resource && second.operation === "start")
          // What fencing makes stopped is stopped whatever a probe says.
          for (const stop of stepsOf(plan, second.resource, "stop"))
            if (stop.node?.unclean !== true) for (const probe of own) link(plan, probe, stop);
        visit(second);
      }
    };
    for (const start of stepsOf(plan, resource, "start")) visit(start);
    // What waits for a group waits for its members' starts, not for what is found of one of them.
    const whole = cloneOf(resource) ?? topOf(resource);
    if (whole.kind !== "group") for (const running of stepsOf(plan, whole, "running")) visit(running);
  }
}

/** What the start of one part stands for: the whole clone's, or those of all containers of a bundle. */
function startsWith(plan: Plan, resource: Resource): readonly Step[] {
  if (resource.parent?.kind === "bundle")
    return resource.parent.replicas.flatMap(({ container }) => stepsOf(plan, container, "start"));
  return stepsOf(plan, cloneOf(resource) ?? resource, "start");
}

/** What starts in a container waits until it is known that the container itself runs nowhere yet. */
function linkContained(plan: Plan, probes: ReadonlyMap<Resource, readonly Step[]>): void {
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

export function linkProbes(plan: Plan): void {
  const probes = new Map<Resource, Step[]>();
  for (const each of plan.steps)
    if (isProbe(each) && each.resource !== undefined)
      probes.set(each.resource, [...(probes.get(each.resource) ?? []), each]);
  for (const [resource, own] of probes) {
    const whole = cloneOf(resource) === undefined ? resource : topOf(resource);
    // What runs already is not stopped for want of a look elsewhere.
    for (const start of stepsOf(plan, whole, "start"))
      for (const probe of own) link(plan, probe, start, isActive(resource) ? {} : { needsFirst: true });
  }
  linkWaitingForStops(plan, probes);
  linkRestarts(plan, probes);
  linkContained(plan, probes);
}
