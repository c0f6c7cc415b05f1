/** Leaving nodes: what runs there is stopped first. Expired fail counts are cleared. */
import { link, type Plan, step } from "./plan.ts";

/** One `do_shutdown` a leaving node, after all stops there. */
export function planShutdowns(plan: Plan): void {
  for (const node of plan.facts.nodes) {
    if (!node.shutdown || !node.online || node.unclean || node.kind !== "member") continue;
    const leave = step(plan, {
      node,
      operation: "do_shutdown",
      key: `do_shutdown-${node.name}`,
      kind: "cluster",
      required: true,
      reason: "node shutdown",
    });
    for (const list of plan.byResource)
      for (const each of list) if (each.operation === "stop" && each.node === node) link(plan, each, leave, {});
  }
}

export function planClearFailures(plan: Plan): void {
  for (const { resource, node, why } of plan.facts.clearFailures) {
    const clear = step(plan, {
      resource,
      node,
      operation: "clear_failcount",
      kind: "cluster",
      required: true,
      reason: why,
    });
    clear.meta["op_no_wait"] = "true";
    clear.runnable = node.online;
  }
}
