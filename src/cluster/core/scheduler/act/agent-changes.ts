/**
 * A resource whose agent is another one now: what the old agent started is stopped, every node forgets its record, and
 * only then the new agent starts.
 * Fact: crm_simulate as a black box (a recorded class, provider or type other than the configured one).
 */
import type { Node, Resource } from "../facts/model.ts";
import { cloneOf, primitivesOf } from "../facts/model.ts";
import { isManaged, isUnclean } from "../place/board.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { stepsOf } from "./plan.ts";

function isOtherAgent(resource: Resource, recorded: Readonly<Record<string, string>>): boolean {
  const { class: agentClass = "", provider = "", type = "" } = recorded;
  return agentClass !== resource.class || provider !== resource.provider || type !== resource.type;
}

/** What is recorded of an instance too many is a record of the first one, for an anonymous clone has but one name. */
function subjectOf(resource: Resource): Resource | undefined {
  if (!resource.removed) return resource;
  const first = cloneOf(resource)?.children[0];
  return first === undefined ? undefined : primitivesOf(first).find(({ baseId }) => baseId === resource.baseId);
}

/** A node on standby, or one that leaves, keeps its records until it is back, but for one in maintenance (the same). */
export const keepsRecords = ({ maintenance, standby, shutdown }: Node) => !maintenance && (standby || shutdown);

/** Before the lifecycle is planned. */
export function planAgentChanges(plan: PlanDraft): void {
  for (const resource of plan.facts.resources) {
    const subject = resource.kind === "primitive" && isManaged(plan.board, resource) ? subjectOf(resource) : undefined;
    if (subject === undefined) continue;
    for (const { node, element } of resource.history.values()) {
      if (!node.online || node.unclean || !isOtherAgent(resource, element.attributes)) continue;
      if (!keepsRecords(node)) {
        const possible = !isUnclean(plan.board, node);
        step(plan, { resource: subject, node, operation: "delete", wanted: true, reason: "agent change", possible });
      }
    }
  }
}

/** A stop before the record is deleted, and no start before every record is. */
export function linkAgentChanges(plan: PlanDraft): void {
  for (const resource of plan.facts.resources) {
    if (resource.kind !== "primitive" || resource.removed) continue;
    for (const forget of stepsOf(plan, resource, "delete")) {
      for (const stop of stepsOf(plan, resource, "stop"))
        link(plan, stop, forget, stop.node === forget.node ? { needsFirst: true, thenDragsFirst: true } : {});
      for (const start of stepsOf(plan, resource, "start")) link(plan, forget, start);
    }
  }
}
