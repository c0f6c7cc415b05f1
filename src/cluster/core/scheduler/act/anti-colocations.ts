/** What must not be together: one is stopped on a node before the other is started there. */
import type { Resource } from "../facts/model.ts";
import { INFINITY_SCORE, ROLE } from "../facts/values.ts";
import { completionOf } from "./constraints.ts";
import { link, type Plan, stepsOf } from "./plan.ts";

function keepApart(plan: Plan, leaving: Resource, coming: Resource): void {
  for (const start of stepsOf(plan, coming, "start")) {
    for (const first of completionOf(plan, leaving, "stop"))
      if (first.node === undefined || start.node === undefined || first.node === start.node) link(plan, first, start);
    plan.stopWaits.push({ resource: leaving, second: start, sameNode: true });
  }
}

/** Both ways, for every colocation of minus infinity that is not of roles. */
export function linkAntiColocations(plan: Plan): void {
  for (const { dependent, primary, score, dependentRole, primaryRole } of plan.facts.colocations) {
    if (score > -INFINITY_SCORE || dependentRole > ROLE.started || primaryRole > ROLE.started) continue;
    keepApart(plan, dependent, primary);
    keepApart(plan, primary, dependent);
  }
}
