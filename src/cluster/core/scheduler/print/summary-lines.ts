/** The Transition Summary: one line for each fenced node and each resource that changes. */
import type { Worked } from "../worked.ts";

/** Lines without the leading `  * `. */
export function summaryLines({ graph }: Worked): string[] {
  return graph.steps
    .filter(({ kind }) => kind === "fence")
    .map((step) => `Fence (${step.fenceKind ?? "reboot"}) ${step.node?.name ?? ""} '${step.reason}'`);
}
