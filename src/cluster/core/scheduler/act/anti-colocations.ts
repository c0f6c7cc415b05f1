/** What must not be together: one is stopped on a node before the other is started there. */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Resource } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { completionOf } from "./constraints.ts";
import { link, type PlanDraft, waitForStop } from "./draft.ts";
import { stepsOf } from "./plan.ts";

interface Side {
  readonly resource: Resource;
  readonly role: Role;
}

/** What ends being in the role, and what begins it. */
function leave({ role }: Side): readonly string[] {
  if (role === ROLE.promoted) return ["demote"];
  return role === ROLE.unpromoted ? ["promote", "stop"] : ["stop"];
}

function come({ role }: Side): readonly string[] {
  if (role === ROLE.promoted) return ["promote"];
  return role === ROLE.unpromoted ? ["demote", "start"] : ["start"];
}

function keepApart(plan: PlanDraft, leaving: Side, coming: Side): void {
  for (const second of come(coming).flatMap((task) => stepsOf(plan, coming.resource, task)))
    for (const task of leave(leaving)) {
      for (const first of completionOf(plan, leaving.resource, task))
        if (first.node === undefined || second.node === undefined || first.node === second.node)
          link(plan, first, second);
      if (task === "stop") waitForStop(plan, leaving.resource, second, true);
    }
}

/** Both ways, for every colocation of minus infinity. */
export function linkAntiColocations(plan: PlanDraft): void {
  for (const { dependent, primary, score, dependentRole, primaryRole } of plan.facts.colocations) {
    if (score > -INFINITY_SCORE) continue;
    const [one, other] = [
      { resource: dependent, role: dependentRole },
      { resource: primary, role: primaryRole },
    ];
    keepApart(plan, one, other);
    keepApart(plan, other, one);
  }
}
