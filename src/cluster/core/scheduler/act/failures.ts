/**
 * Failed resources head the plan: what failed and the stop that answers it are written down before all else, so that
 * they come first among what may be done at any time; so is the stop of what a lost node was handing over.
 * Fact: crm_simulate as a black box (order of actions in its graphs).
 */
import { isUnclean, isUp } from "../place/board.ts";
import { type PlanDraft, step } from "./draft.ts";

export function planFailures(plan: PlanDraft): void {
  for (const { resource, node } of plan.facts.halfArrived)
    if (resource.runningOn.includes(node)) step(plan, { resource, node, operation: "stop" });
  for (const { entry, resource, node } of plan.facts.failedEntries) {
    if (!resource.runningOn.includes(node) || !isUp(plan.board, node) || isUnclean(plan.board, node)) continue;
    // What failed before the last start, which may be under way, ended with it; it was found failed all the same.
    const history = resource.history.get(node);
    const isOver = history !== undefined && history.entries.indexOf(entry) < history.startAt;
    if (entry.task === "monitor" && entry.intervalMs > 0 && !isOver)
      step(plan, { resource, node, operation: entry.task, intervalMs: entry.intervalMs });
    if (resource.failed) step(plan, { resource, node, operation: "stop" });
  }
}
