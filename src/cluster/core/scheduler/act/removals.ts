/**
 * What was removed from the configuration leaves nothing behind: it is stopped, its failures are forgotten, and then
 * its records are deleted on every node that has one.
 * Fact: Pacemaker Explained, "Cluster Options" (stop-orphan-resources).
 */
import type { Node, Resource } from "../facts/model.ts";
import { isUnclean, isUp } from "../place/board.ts";
import { keepsRecords } from "./agent-changes.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { stepsOf } from "./plan.ts";

function canForget({ board }: PlanDraft, node: Node): boolean {
  if (!isUp(board, node) || isUnclean(board, node) || node.pending) return false;
  return !keepsRecords(node);
}

/** What has failed keeps its records until it was seen stopped: the next look deletes them (the same). */
const isFailed = ({ failed, failedThere }: Resource) => failed || failedThere;

/** The deletions; they are written before anything else of the resource. */
export function planRemovals(plan: PlanDraft): void {
  for (const resource of plan.facts.resources) {
    if (resource.kind !== "primitive" || !resource.removed || !resource.managed || resource.parent !== undefined)
      continue;
    for (const node of plan.facts.nodes)
      if (resource.history.has(node) && !isFailed(resource) && canForget(plan, node))
        step(plan, { resource, node, operation: "delete", wanted: true, reason: "orphan" });
  }
}

/** Not before it has stopped everywhere; only where it ran does the deletion depend on that. */
export function linkRemovals(plan: PlanDraft): void {
  for (const resource of plan.facts.resources)
    if (resource.removed)
      for (const remove of stepsOf(plan, resource, "delete"))
        for (const stop of stepsOf(plan, resource, "stop"))
          link(plan, stop, remove, stop.node === remove.node ? { needsFirst: true } : {});
}
