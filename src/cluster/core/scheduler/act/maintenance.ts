/**
 * Remote and guest nodes are told when their maintenance begins or ends: nobody but the cluster knows it for them.
 * Facts: crm_simulate as a black box (pseudo action maintenance_nodes).
 */
import { type PlanDraft, step } from "./draft.ts";

/** One step for all nodes whose recorded word differs from how it is now. */
export function planMaintenance(plan: PlanDraft): void {
  const changed = plan.facts.nodes.filter(
    ({ kind, online, maintenance, remoteMaintenance }) =>
      (kind === "remote" || (kind === "guest" && online)) && maintenance !== remoteMaintenance,
  );
  if (changed.length === 0) return;
  step(plan, { operation: "maintenance_nodes", kind: "pseudo", wanted: true, reason: "node maintenance" });
}
