/**
 * Remote and guest nodes in the plan: nothing happens there before the connection is up, and the connection goes down
 * only after everything there has; what lives in a container goes up and down with it.
 * Facts: Pacemaker Remote; Pacemaker Explained, meta-attributes container and remote-node.
 */
import type { Node, Resource } from "../facts/model.ts";
import { assignedNode } from "../place/board.ts";
import { stepsOrNone } from "./collectives.ts";
import { linkAll, type PlanDraft } from "./draft.ts";
import { isProbe, type LinkRules, type Step, stepsOf } from "./plan.ts";
import { isDue } from "./recurring.ts";

const UP: LinkRules = { firstDragsThen: true, needsFirst: true };
const DOWN: LinkRules = { thenDragsFirst: true };

/** What the executor that has the connection now can still be told. */
const WAITING_FOR_NONE = new Set(["notify", "delete", "cancel"]);

function isGoingDown({ operation }: Step): boolean {
  return operation === "stop" || operation === "demote" || operation === "migrate_to";
}

/** What the connection's start means for a step behind it; monitors are lost with the connection. */
function rulesBehind(plan: PlanDraft, { operation, intervalMs, resource, node }: Step): LinkRules {
  if (operation === "start" || operation === "promote") return { needsFirst: true };
  if (intervalMs === 0 || resource === undefined || node === undefined) return {};
  return isDue(plan, resource, node, operation, intervalMs) ? { firstDragsThen: true } : {};
}

/** The node is out of reach and may run on: nothing there can be told to stop before it is connected again. */
function isMadeAnew(plan: PlanDraft, connection: Resource): boolean {
  if (assignedNode(plan.board, connection) === undefined) return false;
  const [host] = connection.runningOn;
  // Halfway between two hosts, neither can be asked.
  if (connection.runningOn.length > 1) return true;
  return host === undefined || host.unclean || !host.online;
}

/** A connection ends when nothing is left behind it, as far as anyone knows. */
function linkDown(plan: PlanDraft, step: Step, resource: Resource, ends: readonly Step[]): void {
  linkAll(plan, [step], ends, DOWN);
  if (step.operation === "stop") linkAll(plan, stepsOf(plan, resource, "monitor"), ends);
}

/** Everything that anyone does on the node stands between the connection's start and its stop. */
function linkNode(plan: PlanDraft, node: Node, connection: Resource): void {
  const starts = stepsOrNone(plan, connection, "start");
  const stops = stepsOf(plan, connection, "stop");
  for (const each of plan.steps) {
    if (each.node !== node || each.resource === undefined || each.kind === "fence") continue;
    // What a fencing implies does not wait for the connection, nor the connection for it, unless it is renewed then.
    if (each.implied && (node.kind === "guest" || assignedNode(plan.board, connection) === undefined)) continue;
    if (isGoingDown(each) && isMadeAnew(plan, connection)) linkAll(plan, starts, [each], { needsFirst: true });
    // A remote node runs on while a failed connection to it is renewed.
    else if (isGoingDown(each) && node.kind === "remote" && connection.failed) linkAll(plan, [each], stops);
    else if (isGoingDown(each)) linkDown(plan, each, each.resource, stops);
    else if (!WAITING_FOR_NONE.has(each.operation)) linkAll(plan, starts, [each], rulesBehind(plan, each));
    // What is looked for there is looked for while the connection lasts.
    if (isProbe(each) && assignedNode(plan.board, connection) === undefined) linkAll(plan, [each], stops);
    // Nothing leaves its place for a node that cannot be reached yet.
    if (each.operation === "start")
      for (const stop of stepsOf(plan, each.resource, "stop")) if (stop.node !== node) linkAll(plan, starts, [stop]);
  }
}

/** A container that will not be started keeps what is in it from starting. */
function startsOf(plan: PlanDraft, container: Resource): readonly Step[] {
  return stepsOrNone(plan, container, "start");
}

/** What is in a container goes up after it. */
export function linkContainers(plan: PlanDraft): void {
  for (const filler of plan.facts.resources)
    if (filler.container !== undefined)
      linkAll(plan, startsOf(plan, filler.container), stepsOf(plan, filler, "start"), UP);
}

export function linkRemotes(plan: PlanDraft): void {
  for (const node of plan.facts.nodes) {
    if (node.remote === undefined) continue;
    linkNode(plan, node, node.remote);
    const { container } = node.remote;
    if (container === undefined) continue;
    for (const each of plan.steps)
      if (each.node === node && (each.operation === "start" || each.operation === "promote"))
        linkAll(plan, startsOf(plan, container), [each], UP);
  }
  for (const filler of plan.facts.resources) {
    if (filler.container === undefined) continue;
    // What the fencing of a guest implies comes after the stop of its container, which is that fencing.
    const stops = stepsOf(plan, filler, "stop").filter(({ implied, node }) => !implied || node?.kind !== "guest");
    linkAll(plan, stops, stepsOf(plan, filler.container, "stop"), DOWN);
  }
}
