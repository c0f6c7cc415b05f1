/**
 * Bundles in the plan: pseudo steps around what the containers and the resource inside do, and what waits for what
 * within a replica: address, container, connection.
 * Facts: Pacemaker Explained, "Bundles - Containerized Resources"; crm_simulate as a black box.
 */
import { entryOf } from "../../../../base/record.ts";
import type { Replica, Resource } from "../facts/model.ts";
import { assignedNode } from "../place/board.ts";
import { DONE, linkPhases } from "./collectives.ts";
import { completionOf } from "./constraints.ts";
import { link, linkAll, type PlanDraft, step, sumUp } from "./draft.ts";
import { type LinkRules, type Step, stepsOf } from "./plan.ts";

const UP: LinkRules = { firstDragsThen: true, needsFirst: true };
const DOWN: LinkRules = { thenDragsFirst: true };

function tasksOf(bundle: Resource): readonly string[] {
  return bundle.bundled?.promotable === true ? ["start", "stop", "promote", "demote"] : ["start", "stop"];
}

/** The two pseudo steps around every task; they are there before any constraint looks for them. */
export function addBundleFrame(plan: PlanDraft, bundle: Resource): void {
  for (const task of tasksOf(bundle))
    for (const operation of [task, entryOf(DONE, task) ?? task])
      step(plan, { resource: bundle, operation, kind: "pseudo" });
}

/** Containers start and stop; only what runs inside is promoted. */
function partsOf(plan: PlanDraft, bundle: Resource, task: string): { begins: readonly Step[]; ends: readonly Step[] } {
  const own = bundle.replicas.flatMap(({ container }) => stepsOf(plan, container, task));
  const { bundled } = bundle;
  if (bundled === undefined) return { begins: own, ends: own };
  const inner = task === "stop" ? bundled.children.flatMap((child) => stepsOf(plan, child, task)) : [];
  return {
    begins: [...own, ...stepsOf(plan, bundled, task), ...inner],
    ends: [...own, ...completionOf(plan, bundled, task)],
  };
}

function frame(plan: PlanDraft, bundle: Resource, task: string): void {
  const [begin] = stepsOf(plan, bundle, task);
  const [end] = stepsOf(plan, bundle, entryOf(DONE, task) ?? task);
  if (begin === undefined || end === undefined) return;
  const { begins, ends } = partsOf(plan, bundle, task);
  const mode = task === "start" || task === "promote" ? "any" : "free";
  // Where no container has a place, what is inside asks for nothing.
  const isNowhere = bundle.replicas.every(({ container }) => assignedNode(plan.board, container) === undefined);
  // What starts inside wants the bundle's start only for its own sake, not when it comes back after a stop.
  const inside = isNowhere ? [] : (bundle.bundled?.children.flatMap((child) => stepsOf(plan, child, task)) ?? []);
  const demanding =
    task === "start"
      ? [...begins.filter(({ resource }) => resource !== bundle.bundled), ...inside.filter(({ wanted }) => wanted)]
      : begins;
  sumUp(plan, begin, demanding, mode);
  if (task !== "start" || !isNowhere) sumUp(plan, end, ends, mode);
  // Nothing of a bundle is up while nothing inside can be.
  if (task === "start" && bundle.bundled !== undefined && !isNowhere)
    sumUp(plan, end, completionOf(plan, bundle.bundled, task), "all");
  for (const each of begins) link(plan, begin, each);
  for (const each of ends) link(plan, each, end);
  if (task === "demote") link(plan, begin, end);
}

/** A port or a name may be taken: on one host a replica waits until it is known which others run there. */
function linkProbes(plan: PlanDraft, bundle: Resource): void {
  if (bundle.instanceNodeMax > 1) return;
  for (const { container } of bundle.replicas)
    for (const start of stepsOf(plan, container, "start"))
      for (const other of bundle.replicas)
        for (const probe of stepsOf(plan, other.container, "monitor"))
          if (other.container !== container && probe.node === start.node) link(plan, probe, start);
}

function linkReplica(plan: PlanDraft, { ip, container, remote }: Replica): void {
  const [starts, stops] = [stepsOf(plan, container, "start"), stepsOf(plan, container, "stop")];
  if (ip !== undefined) {
    linkAll(plan, stepsOf(plan, ip, "start"), starts, UP);
    linkAll(plan, stops, stepsOf(plan, ip, "stop"), DOWN);
  }
  // A connection can be looked for only in a container that is there.
  if (remote !== undefined) linkAll(plan, starts, stepsOf(plan, remote, "monitor"), { needsFirst: true });
}

/** The steps of a bundle; those of what it consists of stand already. */
export function linkBundle(plan: PlanDraft, bundle: Resource): void {
  for (const task of tasksOf(bundle)) frame(plan, bundle, task);
  if (bundle.bundled?.promotable === true) linkPhases(plan, bundle);
  for (const replica of bundle.replicas) linkReplica(plan, replica);
  linkProbes(plan, bundle);
}
