/**
 * Changed definitions: what was started with other parameters is restarted, reloaded, or its monitors set up anew.
 * Facts: Pacemaker Explained, "Reloading an Agent After a Definition Change".
 */
import { definitionChange } from "../facts/digests.ts";
import type { HistoryEntry, Node, Resource } from "../facts/model.ts";
import { recordedFailures } from "../facts/on-fail.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { ROLE } from "../facts/values.ts";
import { canRun, isManaged, nextRoleOf } from "../place/board.ts";
import { linkOf, type PlanDraft, step, want } from "./draft.ts";
import { act, motionOf } from "./lifecycle.ts";
import { type Link, type Plan, type Step, stepsOf } from "./plan.ts";
import type { Settled } from "./settle.ts";
import { clearFailures } from "./shutdown.ts";

const CHANGED = "resource definition change";
const DEFINING = new Set(["start", "monitor", "promote", "migrate_from"]);

function isRelevant(resource: Resource, entry: HistoryEntry): boolean {
  if (entry.element.attributes["op-status"] === "-1") return false;
  if (entry.intervalMs === 0) return DEFINING.has(entry.task);
  return resource.operations.some(
    ({ name, intervalMs, enabled }) => enabled && name === entry.task && intervalMs === entry.intervalMs,
  );
}

/** Which of the possible reloads are done, and what comes after them. */
export interface Reloads {
  readonly taken: ReadonlySet<Step>;
  readonly links: readonly Link[];
}

/** What follows from changed definitions, to be carried out by later passes. */
export interface Changes {
  /** Possible reloads. */
  readonly reloads: Step[];
  readonly repeats: {
    readonly resource: Resource;
    readonly node: Node;
    readonly task: string;
    readonly intervalMs: number;
  }[];
  /** Nodes on which a fencing device is another one than the one that was started there. */
  readonly unfences: Set<Node>;
  /** Failures that were those of the old definition. */
  readonly forgotten: { readonly resource: Resource; readonly node: Node }[];
}

/** What the record of a node says about one running resource; the gravest change counts. */
function changeOf(plan: PlanDraft, resource: Resource, node: Node, changes: Changes): "none" | "reload" | "restart" {
  const history = resource.history.get(node);
  let clears = false;
  let gravest: "none" | "reload" | "restart" = "none";
  for (const [index, entry] of (history?.entries ?? []).entries()) {
    if (history === undefined || index < history.startAt || index < history.stopAt || !isRelevant(resource, entry))
      continue;
    const change = definitionChange(plan.facts, resource, node, entry);
    if (change === "restart") gravest = "restart";
    else if (change === "reload" && gravest === "none") gravest = "reload";
    else if (change === "repeat")
      changes.repeats.push({ resource, node, task: entry.task, intervalMs: entry.intervalMs });
    clears ||= change !== "same" && recordedFailures(resource, node.attributes).count > 0;
  }
  if (clears) changes.forgotten.push({ resource, node });
  return gravest;
}

/** And promotes it again at once; what is restarted for the sake of others waits with that for the next transition. */
function startAnew(plan: PlanDraft, resource: Resource, to: Node | undefined): void {
  const again = (operation: string) => {
    // A start that is wanted, and nowhere can be: without quorum, too.
    if (to === undefined) step(plan, { resource, operation, wanted: true, possible: false, reason: CHANGED });
    else act(plan, resource, operation, to, true, CHANGED);
  };
  again("start");
  if (resource.role === ROLE.promoted && nextRoleOf(plan.board, resource) === ROLE.promoted) again("promote");
}

/**
 * Restarts what must be restarted. The reloads are left for when it is clear that no restart happens anyway, and the
 * monitors for when it is planned which of them fit.
 */
export function planDefinitions(plan: PlanDraft): Changes {
  const changes: Changes = { reloads: [], repeats: [], unfences: new Set(), forgotten: [] };
  for (const resource of plan.facts.resources) {
    // What failed is started anew anyway.
    if (resource.kind !== "primitive" || resource.removed || resource.failed) continue;
    const managed = isManaged(plan.board, resource);
    // In maintenance not even the watching goes on.
    if (!managed && resource.maintenance) continue;
    const { to } = motionOf(plan.board, resource);
    for (const node of resource.runningOn) {
      // What must leave its node anyway is not asked what it was started with.
      if (node.maintenance ? !managed : !canRun(plan.board, node)) continue;
      const change = changeOf(plan, resource, node, changes);
      // What nobody may touch is still watched as it is defined now.
      if (!managed) continue;
      if (node === to && change === "reload")
        changes.reloads.push(step(plan, { resource, node, operation: "reload-agent", reason: "definition change" }));
      if (change === "restart" && isFencingClass(resource.class)) changes.unfences.add(node);
      // What is to be started anew, but nowhere: a start that is wanted and cannot be.
      if (change === "restart" && (node === to || to === undefined)) startAnew(plan, resource, to);
    }
  }
  for (const { resource, node } of changes.forgotten)
    clearFailures(plan, resource, node, "resource parameters have changed");
  return changes;
}

/** Monitors whose definition has changed are set up anew where the resource stays. */
export function repeatChanged(plan: PlanDraft, { repeats }: Changes): void {
  for (const { resource, node, task, intervalMs } of repeats)
    for (const monitor of stepsOf(plan, resource, task, intervalMs))
      if (monitor.node === node && node === motionOf(plan.board, resource).to && monitor.operation === task)
        want(plan, monitor, CHANGED);
}

/** After the plan has settled: what is not started anew anyway takes its new definition in, and is watched by it. */
export function reloadsOf(plan: Plan, { required }: Settled, { reloads }: Changes): Reloads {
  const taken = new Set<Step>();
  const links: Link[] = [];
  for (const reload of reloads) {
    const { resource, node } = reload;
    if (resource === undefined) continue;
    const isAnew = (operation: string) => stepsOf(plan, resource, operation).some(({ index }) => required[index]);
    if (isAnew("start") || isAnew("stop")) continue;
    taken.add(reload);
    for (const each of plan.byResource[resource.index] ?? [])
      if (each.intervalMs > 0 && required[each.index] === true && each.node === node) links.push(linkOf(reload, each));
  }
  return { taken, links };
}
