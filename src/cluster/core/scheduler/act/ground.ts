/**
 * What cannot be stopped keeps its ground: nothing that an order puts under it is stopped or demoted, and of a clone
 * that therefore keeps its promoted instance no other one is promoted in its stead.
 * Not as crm_simulate 2.1.5, which takes a clone from under a file system that does not let go of it; why, stands in
 * docs/decisions/blocked-ground.md.
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf, primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { linkAll, type PlanDraft } from "./draft.ts";
import { type Step, stepsOf } from "./plan.ts";

const GROUND = { ground: true, hidden: true };

/** The steps that an operator must do by hand, as the cluster has failed to. */
function blockedStops(plan: PlanDraft, resource: Resource): readonly Step[] {
  const blocked = primitivesOf(resource).filter((each) => each.blocked);
  return blocked.flatMap((each) => stepsOf(plan, each, "stop")).filter(({ possible }) => !possible);
}

/** What it stands on: what is in that role on its node, and where there is none, wherever it is. */
function standsOn(resource: Resource, { node }: Step, task: string): readonly Resource[] {
  const inRole = primitivesOf(resource).filter(
    ({ role }) => role > ROLE.stopped && (task === "stop" || role === ROLE.promoted),
  );
  const beside = inRole.filter(({ runningOn }) => node !== undefined && runningOn.includes(node));
  return beside.length > 0 ? beside : inRole;
}

/** For every order on the way down, of which the first cannot be. */
export function linkGround(plan: PlanDraft): void {
  for (const { first, firstTask, second, secondTask, kind } of plan.facts.orders) {
    if (kind !== "mandatory" || !isDown(firstTask) || !isDown(secondTask)) continue;
    for (const stop of blockedStops(plan, first))
      for (const ground of standsOn(second, stop, secondTask)) {
        const demotes = secondTask === "demote" ? stepsOf(plan, ground, "demote") : [];
        linkAll(plan, [stop], [...demotes, ...stepsOf(plan, ground, "stop")], GROUND);
        const others = primitivesOf(cloneOf(ground) ?? ground).flatMap((each) => stepsOf(plan, each, "promote"));
        linkAll(plan, demotes, others, GROUND);
      }
  }
}

const isDown = (task: string) => task === "stop" || task === "demote";
