/**
 * Remote and guest nodes in the plan: nothing happens there before the connection is up, and the connection goes down
 * only after everything there has; what lives in a container goes up and down with it.
 * Facts: Pacemaker Remote; Pacemaker Explained, meta-attributes container and remote-node.
 */
import type { Node, Resource } from "../facts/model.ts";
import { stepsOrNone } from "./collectives.ts";
import { type LinkRules, linkAll, type Plan, type Step, stepsOf } from "./plan.ts";

const UP: LinkRules = { firstDragsThen: true, needsFirst: true };
const DOWN: LinkRules = { thenDragsFirst: true };

function isGoingDown({ operation }: Step): boolean {
  return operation === "stop" || operation === "demote" || operation === "migrate_to";
}

/** Everything that anyone does on the node stands between the connection's start and its stop. */
function linkNode(plan: Plan, node: Node, connection: Resource): void {
  const starts = stepsOrNone(plan, connection, "start");
  const stops = stepsOf(plan, connection, "stop");
  for (const each of plan.steps) {
    if (each.node !== node || each.resource === undefined || each.kind === "fence") continue;
    // What the loss of the guest implies does not wait for the connection, nor the connection for it.
    if (each.implied && node.kind === "guest") continue;
    if (isGoingDown(each)) linkAll(plan, [each], stops, DOWN);
    else if (each.operation !== "notify" && each.operation !== "delete")
      linkAll(
        plan,
        starts,
        [each],
        each.operation === "start" || each.operation === "promote" ? { needsFirst: true } : {},
      );
  }
}

/** A container that will not be started keeps what is in it from starting. */
function startsOf(plan: Plan, container: Resource): readonly Step[] {
  return stepsOrNone(plan, container, "start");
}

function linkContainer(plan: Plan, filler: Resource, container: Resource): void {
  linkAll(plan, startsOf(plan, container), stepsOf(plan, filler, "start"), UP);
  const stops = stepsOf(plan, filler, "stop").filter(({ implied }) => !implied);
  linkAll(plan, stops, stepsOf(plan, container, "stop"), DOWN);
}

export function linkRemotes(plan: Plan): void {
  for (const node of plan.facts.nodes) {
    if (node.remote === undefined) continue;
    linkNode(plan, node, node.remote);
    const { container } = node.remote;
    if (container === undefined) continue;
    for (const each of plan.steps)
      if (each.node === node && (each.operation === "start" || each.operation === "promote"))
        linkAll(plan, startsOf(plan, container), [each], { needsFirst: true });
  }
  for (const resource of plan.facts.resources)
    if (resource.container !== undefined) linkContainer(plan, resource, resource.container);
}
