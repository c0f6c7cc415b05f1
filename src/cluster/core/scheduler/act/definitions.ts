/**
 * Changed definitions: what was started with other parameters is restarted, reloaded, or its monitors set up anew.
 * Facts: Pacemaker Explained, "Reloading an Agent After a Definition Change".
 */
import { definitionChange } from "../facts/digests.ts";
import type { HistoryEntry, Node, Resource } from "../facts/model.ts";
import { recordedFailures } from "../facts/on-fail.ts";
import { motionOf } from "./lifecycle.ts";
import { link, type Plan, step, stepsOf } from "./plan.ts";
import { clearFailures } from "./shutdown.ts";

const DEFINING = new Set(["start", "monitor", "promote", "migrate_from"]);

function isRelevant(resource: Resource, entry: HistoryEntry): boolean {
  if (entry.element.attributes["op-status"] === "-1") return false;
  if (entry.intervalMs === 0) return DEFINING.has(entry.task);
  return resource.operations.some(
    ({ name, intervalMs, enabled }) => enabled && name === entry.task && intervalMs === entry.intervalMs,
  );
}

/** What the record of a node says about one running resource; the gravest change counts. */
function changeOf(plan: Plan, resource: Resource, node: Node, to: Node | undefined): "none" | "reload" | "restart" {
  const history = resource.history.get(node);
  let gravest: "none" | "reload" | "restart" = "none";
  for (const [index, entry] of (history?.entries ?? []).entries()) {
    if (history === undefined || index < history.startAt || index < history.stopAt || !isRelevant(resource, entry))
      continue;
    const change = definitionChange(plan.facts, resource, node, entry);
    if (change === "restart") gravest = "restart";
    else if (change === "reload" && gravest === "none") gravest = "reload";
    else if (change === "repeat")
      for (const monitor of stepsOf(plan, resource, entry.task, entry.intervalMs))
        if (monitor.node === node && node === to && monitor.operation === entry.task) monitor.required = true;
    if (change !== "same" && recordedFailures(resource, node.attributes).count > 0)
      clearFailures(plan, resource, node, "resource parameters have changed");
  }
  return gravest;
}

/** Restarts what must be restarted; the reloads are left for when it is clear that no restart happens anyway. */
export function planDefinitions(plan: Plan): readonly { readonly resource: Resource; readonly node: Node }[] {
  const reloads: { resource: Resource; node: Node }[] = [];
  for (const resource of plan.facts.resources) {
    if (resource.kind !== "primitive" || resource.removed || !resource.managed) continue;
    const { to } = motionOf(plan.board, resource);
    for (const node of resource.runningOn) {
      const change = changeOf(plan, resource, node, to);
      if (node !== to || change === "none") continue;
      if (change === "reload") reloads.push({ resource, node });
      else
        for (const start of stepsOf(plan, resource, "start"))
          if (start.node === node) {
            start.required = true;
            start.reason = "resource definition change";
          }
    }
  }
  return reloads;
}

/** After the plan has settled. */
export function addReloads(plan: Plan, reloads: readonly { readonly resource: Resource; readonly node: Node }[]): void {
  for (const { resource, node } of reloads) {
    const again = ["start", "stop"].some((operation) =>
      stepsOf(plan, resource, operation).some(({ required }) => required),
    );
    if (again) continue;
    const reload = step(plan, {
      resource,
      node,
      operation: "reload-agent",
      required: true,
      reason: "definition change",
    });
    for (const each of plan.byResource[resource.index] ?? [])
      if (each.intervalMs > 0 && each.required && each.node === node) link(plan, reload, each);
  }
}
