/**
 * Unfencing: where a device must let a node in before its resources may touch what it guards.
 * Fact: Pacemaker Explained, "Unfencing" (`provides="unfencing"`, node attribute #node-unfenced).
 */
import type { Facts, Node } from "../facts/model.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { isProbe, link, type Plan, type Step, step } from "./plan.ts";

function isNeeded(facts: Facts): boolean {
  return (
    facts.options.fencingEnabled &&
    facts.resources.some((each) => isFencingClass(each.class) && each.meta["provides"] === "unfencing")
  );
}

function isLetIn(node: Node): boolean {
  const since = node.attributes["#node-unfenced"];
  return since !== undefined && since !== "0" && since !== "";
}

function waits(each: Step, node: Node): boolean {
  if (each.node !== node || each.resource?.kind !== "primitive") return false;
  return isProbe(each) || each.operation === "start";
}

/** One `on` for each node that nobody has let in since it came up. */
export function planUnfencing(plan: Plan): void {
  if (!isNeeded(plan.facts)) return;
  for (const node of plan.facts.nodes) {
    if (node.kind === "guest" || node.kind === "ping" || !node.online || node.unclean || isLetIn(node)) continue;
    const waiting = plan.steps.filter((each) => waits(each, node));
    const first = waiting[0];
    const key = `stonith-${node.name}-on`;
    const on = step(plan, {
      node,
      operation: "stonith",
      key,
      kind: "fence",
      required: true,
      reason: first ? `required by ${first.resource?.id} ${first.operation}` : "required by device",
    });
    on.fenceKind = "on";
    on.meta["stonith_action"] = "on";
    for (const each of waiting) link(plan, on, each, { needsFirst: true });
  }
}
