/** Colocations in the plan: who must be with something that cannot start does not start either. */
import type { Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { INFINITY_SCORE, ROLE } from "../facts/values.ts";
import { link, type Plan, type Step, stepsOf } from "./plan.ts";

function members(plan: Plan, resource: Resource, operation: string): readonly Step[] {
  return primitivesOf(resource).flatMap((each) => stepsOf(plan, each, operation));
}

/** For mandatory colocations with primitives and groups; a clone may have other instances to be with. */
export function linkColocations(plan: Plan): void {
  for (const { dependent, primary, score, primaryRole, dependentRole } of plan.facts.colocations) {
    if (score < INFINITY_SCORE || primary.kind === "clone" || primary.kind === "bundle") continue;
    const firsts = members(plan, primary, primaryRole === ROLE.promoted ? "promote" : "start");
    const seconds = members(plan, dependent, dependentRole === ROLE.promoted ? "promote" : "start");
    for (const first of firsts)
      for (const second of seconds) link(plan, first, second, { blockedWith: primary.id, hidden: true });
    // A group as a whole does not begin at all where that cannot be started.
    if (dependent.kind === "group")
      for (const begin of stepsOf(plan, dependent, dependentRole === ROLE.promoted ? "promote" : "start"))
        for (const first of firsts) link(plan, first, begin, { needsFirst: true, hidden: true });
  }
}
