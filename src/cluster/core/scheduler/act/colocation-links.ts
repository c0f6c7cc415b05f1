/** Colocations in the plan: who must be with something that cannot start does not start either. */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Colocation, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { link, linkAll, type PlanDraft } from "./draft.ts";
import { type Step, stepsOf } from "./plan.ts";

function members(plan: PlanDraft, resource: Resource, operation: string): readonly Step[] {
  return primitivesOf(resource).flatMap((each) => stepsOf(plan, each, operation));
}

/** What of a whole, and of the groups in it, must not begin either where its members cannot be started. */
function wholesSteps(plan: PlanDraft, { kind, children }: Resource, task: string): readonly Step[] {
  const groups = kind === "clone" ? children.filter((each) => each.kind === "group") : [];
  return groups.flatMap((each) => stepsOf(plan, each, task));
}

/** Who must be with a clone or bundle of which no instance can come up does not come up either. */
function linkToClone(plan: PlanDraft, { primary, dependent, primaryRole, dependentRole }: Colocation): void {
  const task = taskOf(primaryRole);
  const firsts = stepsOf(plan, primary, task);
  const blockedWith = nameOf(plan, primary, task);
  // What is told of a whole is first of all the order that keeps it waiting.
  const late = dependent.kind !== "primitive";
  const rules = { blockedWith, late, hidden: true };
  linkAll(plan, firsts, members(plan, dependent, taskOf(dependentRole)), rules);
  linkAll(plan, firsts, wholesSteps(plan, dependent, taskOf(dependentRole)), { needsFirst: true, late, hidden: true });
  if (dependent.kind === "group")
    linkAll(plan, firsts, stepsOf(plan, dependent, taskOf(dependentRole)), { needsFirst: true, hidden: true });
}

/**
 * Where the instances themselves cannot come up (no place, no quorum) the last of them is named, where something keeps
 * the whole from it, the whole; of a bundle the connection into its last container.
 */
function nameOf(plan: PlanDraft, primary: Resource, task: string): string {
  if (primary.bundled !== undefined) return primary.replicas.at(-1)?.remote?.id ?? primary.id;
  const instances = primitivesOf(primary);
  const isAble = instances.some((each) => stepsOf(plan, each, task).some(({ possible }) => possible));
  return isAble ? primary.id : (instances.at(-1)?.id ?? primary.id);
}

const taskOf = (role: Role) => (role === ROLE.promoted ? "promote" : "start");

/** For mandatory colocations; a clone or bundle may have other instances to be with. */
export function linkColocations(plan: PlanDraft): void {
  for (const colocation of plan.facts.colocations) {
    const { dependent, primary, score, primaryRole, dependentRole } = colocation;
    if (score < INFINITY_SCORE) continue;
    if (primary.kind === "clone" || primary.kind === "bundle") {
      linkToClone(plan, colocation);
      continue;
    }
    const firsts = members(plan, primary, taskOf(primaryRole));
    const seconds = members(plan, dependent, taskOf(dependentRole));
    for (const first of firsts)
      for (const second of seconds) link(plan, first, second, { blockedWith: primary.id, hidden: true });
    // A group as a whole does not begin at all where that cannot be started.
    if (dependent.kind === "group")
      for (const begin of stepsOf(plan, dependent, taskOf(dependentRole)))
        for (const first of firsts) link(plan, first, begin, { needsFirst: true, hidden: true });
  }
}
