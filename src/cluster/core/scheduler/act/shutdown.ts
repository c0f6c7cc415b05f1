/** Leaving nodes: what runs there is stopped first. Locks that have ended and expired fail counts are cleared. */
import type { Node, Resource } from "../facts/model.ts";
import { recordedFailures } from "../facts/on-fail.ts";
import { endedLock } from "../facts/shutdown-locks.ts";
import { isManaged } from "../place/board.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { type Step, stepsOf } from "./plan.ts";

/** What nobody manages runs on when its node has left; what could not be stopped keeps the node from leaving. */
const keepsNode = ({ managed, resource }: Step) => managed || resource?.blocked === true;

/** One `do_shutdown` a leaving node, after all stops there. */
export function planShutdowns(plan: PlanDraft): void {
  const leaving: Step[] = [];
  for (const node of plan.facts.nodes) {
    if (!node.shutdown || !node.online || node.unclean || node.kind !== "member") continue;
    const leave = step(plan, {
      node,
      operation: "do_shutdown",
      key: `do_shutdown-${node.name}`,
      kind: "cluster",
      wanted: true,
      reason: "node shutdown",
    });
    for (const list of plan.byResource)
      for (const each of list)
        if (each.operation === "stop" && each.node === node && keepsNode(each))
          link(plan, each, leave, { needsFirst: true });
    leaving.push(leave);
  }
  // The DC goes last: it leads the others out, and sees every fencing through.
  const dc = leaving.find(({ node }) => node?.isDc === true);
  if (dc === undefined) return;
  for (const other of leaving) link(plan, other, dc);
  for (const fence of plan.steps) if (fence.kind === "fence") link(plan, fence, dc);
}

/** The records of locks that have ended; nothing waits for their being gone. */
export function planEndedLocks(plan: PlanDraft): void {
  for (const resource of plan.facts.resources) {
    const node = endedLock(resource);
    if (node !== undefined)
      step(plan, {
        resource,
        node,
        operation: "lrm_delete",
        kind: "cluster",
        wanted: true,
        reason: "lock has ended",
      });
  }
}

/** One step that forgets the failures of a resource on a node. */
export function clearFailures(plan: PlanDraft, resource: Resource, node: Node, why: string): Step {
  return step(plan, {
    resource,
    node,
    operation: "clear_failcount",
    kind: "cluster",
    wanted: true,
    reason: why,
    meta: { op_no_wait: "true" },
    possible: node.online && !node.unclean && !node.pending,
  });
}

export function planClearFailures(plan: PlanDraft): void {
  const { facts } = plan;
  // Of what is not managed nothing is forgotten, whatever has become of its failures.
  for (const { resource, node, why } of facts.clearFailures)
    if (isManaged(plan.board, resource)) clearFailures(plan, resource, node, why);
  // What was removed from the configuration leaves no fail counts behind either.
  for (const resource of facts.resources) {
    if (
      !resource.removed ||
      !isManaged(plan.board, resource) ||
      resource.parent !== undefined ||
      resource.kind !== "primitive" ||
      !facts.options.stopRemoved
    )
      continue;
    for (const node of facts.nodes) {
      if (!node.online || node.unclean || recordedFailures(resource, node.attributes).count === 0) continue;
      clearFailures(plan, resource, node, "it is removed");
    }
  }
}

/** What is removed is stopped once its failures are forgotten. */
export function linkClears(plan: PlanDraft): void {
  for (const clear of plan.steps)
    if (clear.operation === "clear_failcount" && clear.resource?.removed === true)
      for (const stop of stepsOf(plan, clear.resource, "stop")) link(plan, clear, stop);
}
