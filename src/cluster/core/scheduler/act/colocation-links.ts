/** Colocations in the plan: who must be with something that cannot start does not start either. */

import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignedNode } from "../place/board.ts";
import { link, linkAll, type PlanDraft } from "./draft.ts";
import { type Step, stepsOf } from "./plan.ts";

function members(plan: PlanDraft, resource: Resource, operation: string): readonly Step[] {
  return primitivesOf(resource).flatMap((each) => stepsOf(plan, each, operation));
}

/**
 * Who must be with a clone of which no instance has a place starts nowhere. He has no place himself, but for a loop of
 * colocations, in which somebody is placed before his company is.
 */
function linkToClone(plan: PlanDraft, clone: Resource, dependent: Resource): void {
  const instances = primitivesOf(clone);
  if (instances.some((each) => assignedNode(plan.board, each) !== undefined)) return;
  const starts = stepsOf(plan, clone, "start");
  const blockedWith = instances.at(-1)?.id ?? clone.id;
  linkAll(plan, starts, members(plan, dependent, "start"), { blockedWith, hidden: true });
  if (dependent.kind === "group")
    linkAll(plan, starts, stepsOf(plan, dependent, "start"), { needsFirst: true, hidden: true });
}

/** For mandatory colocations; a clone may have other instances to be with. */
export function linkColocations(plan: PlanDraft): void {
  for (const { dependent, primary, score, primaryRole, dependentRole } of plan.facts.colocations) {
    if (score < INFINITY_SCORE || primary.kind === "bundle") continue;
    if (primary.kind === "clone") {
      if (dependentRole < ROLE.promoted) linkToClone(plan, primary, dependent);
      continue;
    }
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
