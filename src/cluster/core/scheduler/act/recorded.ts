/**
 * What is known to run heads the plan: what failed and the stop that answers it, then the monitors that are repeated
 * already, are written down before all else, so that they come first among what may be done at any time.
 * Fact: crm_simulate as a black box (order of actions in its graphs).
 */
import type { Resource } from "../facts/model.ts";
import { isUnclean, isUp } from "../place/board.ts";
import { type Plan, step } from "./plan.ts";

function planRepeated(plan: Plan, resource: Resource): void {
  for (const { node, entries, startAt, stopAt } of resource.history.values()) {
    if (!resource.runningOn.includes(node)) continue;
    for (const [index, { task, intervalMs }] of entries.entries())
      if (intervalMs > 0 && index >= Math.max(startAt, stopAt) && isConfigured(resource, task, intervalMs))
        step(plan, { resource, node, operation: task, intervalMs });
  }
}

function isConfigured({ operations }: Resource, task: string, intervalMs: number): boolean {
  return operations.some((each) => each.name === task && each.intervalMs === intervalMs && each.enabled);
}

export function planRecorded(plan: Plan): void {
  for (const { entry, resource, node } of plan.facts.failedEntries) {
    if (!resource.runningOn.includes(node) || !isUp(plan.board, node) || isUnclean(plan.board, node)) continue;
    if (entry.task === "monitor" && entry.intervalMs > 0)
      step(plan, { resource, node, operation: entry.task, intervalMs: entry.intervalMs });
    if (resource.failed) step(plan, { resource, node, operation: "stop" });
  }
  for (const resource of plan.facts.resources) if (!resource.removed) planRepeated(plan, resource);
}
