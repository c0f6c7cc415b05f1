/**
 * What the nodes repeat already, before anything else of a resource is planned: a place is kept for each recorded
 * monitor, for what is written first comes last in the graph; what is no longer configured is cancelled.
 * Fact: crm_simulate as a black box (order of actions in its graphs).
 */
import type { History, HistoryEntry, Resource } from "../facts/model.ts";
import { type PlanDraft, step } from "./draft.ts";
import { cancel, isHereToStay } from "./recurring.ts";

function isConfigured(resource: Resource, { task, intervalMs }: HistoryEntry): boolean {
  return resource.operations.some((op) => op.name === task && op.intervalMs === intervalMs && op.enabled);
}

function keepPlaces(plan: PlanDraft, resource: Resource, { node, entries, startAt, stopAt }: History): void {
  const isActive = resource.runningOn.includes(node);
  for (const [index, entry] of entries.entries()) {
    const { task, intervalMs } = entry;
    // What was played through is recorded with its cancels; a monitor from before the last start ended with it.
    if (intervalMs === 0 || task === "cancel" || entry.element.attributes["op-status"] === "1") continue;
    if (index < startAt || index <= stopAt) continue;
    if (isConfigured(resource, entry)) step(plan, { resource, node, operation: task, intervalMs, reason: "recurring" });
    else if (plan.facts.options.cancelRemoved && !resource.removed && isActive && isHereToStay(plan, node)) {
      // What goes nowhere from here ends with its monitors: no cancel of its own is waited for.
      const possible = plan.board.assigned[resource.index] !== undefined;
      cancel(plan, resource, node, task, intervalMs, possible);
    }
  }
}

export function planRecorded(plan: PlanDraft): void {
  for (const resource of plan.facts.resources)
    if (resource.kind === "primitive")
      for (const history of resource.history.values()) if (history.node.online) keepPlaces(plan, resource, history);
}
