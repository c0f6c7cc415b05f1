/**
 * Recurring monitors, by role; and the cancelling of those that no longer fit.
 * Facts: Pacemaker Explained, "Monitoring Resources for Failure", "Monitoring Resources When Administration is
 * Disabled", operation attribute `role`.
 */
import type { Node, Operation, Resource } from "../facts/model.ts";
import { inAnonymousClone, inPromotable } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { isManaged, isUnclean, isUp } from "../place/board.ts";
import { link, type PlanDraft, step, takePlace } from "./draft.ts";
import { isRunnable, motionOf } from "./lifecycle.ts";
import { type Step, stepsNamed, stepsOf } from "./plan.ts";

const NEVER_RECURRING = new Set(["start", "stop", "promote", "demote"]);
const CODE_PROMOTED = 8;
const CODE_NOT_RUNNING = 7;

/** Whether the node already repeats it, counted from the last start. */
export function isRecorded(resource: Resource, node: Node, name: string, intervalMs: number): boolean {
  const history = resource.history.get(node);
  if (history === undefined) return false;
  return history.entries.some(
    (entry, index) =>
      entry.task === name &&
      entry.intervalMs === intervalMs &&
      index > history.stopAt &&
      index >= history.startAt &&
      entry.element.attributes["op-status"] !== "1" &&
      entry.element.attributes["op-status"] !== "-1",
  );
}

function wasRecorded(resource: Resource, node: Node, name: string, intervalMs: number): boolean {
  const history = resource.history.get(node);
  return history?.entries.some((entry) => entry.task === name && entry.intervalMs === intervalMs) === true;
}

/**
 * Whether the monitor is for that role. Without a role it is for whatever runs unpromoted; a role that is given counts
 * to the letter: what may be promoted is unpromoted, never merely started.
 */
function fits(resource: Resource, operation: Operation, role: Role): boolean {
  const isUnpromoted = role === ROLE.unpromoted || role === ROLE.started;
  if (operation.role === ROLE.unknown) return isUnpromoted || (role === ROLE.promoted && !inPromotable(resource));
  if (operation.role === ROLE.started) return !inPromotable(resource) && role >= ROLE.started;
  return operation.role === role;
}

/** Whether the resource will be on the node in a role that the monitor is for. */
export function isDue(plan: PlanDraft, resource: Resource, node: Node, name: string, intervalMs: number): boolean {
  const { to, nextRole } = motionOf(plan.board, resource);
  return (
    to === node &&
    resource.operations.some((op) => op.name === name && op.intervalMs === intervalMs && fits(resource, op, nextRole))
  );
}

export function cancel(
  plan: PlanDraft,
  resource: Resource,
  node: Node,
  name: string,
  intervalMs: number,
  possible = true,
): Step {
  const key = `${resource.id}_${name}_${intervalMs}`;
  const meta = { operation: name, interval: String(intervalMs) };
  const shared = { resource, node, key, intervalMs, meta, possible };
  const made = step(plan, { ...shared, operation: "cancel", wanted: true, reason: "cancel" });
  const recorded = stepsNamed(plan, resource, key).find((each) => each.node === node && each.operation === name);
  if (recorded !== undefined && !recorded.wanted) takePlace(plan, made, recorded);
  return made;
}

/** What the monitor is to find; the executor is told, too. */
function finding(expectedCode: number): { expectedCode: number; meta: Step["meta"] } {
  return { expectedCode, meta: { op_target_rc: String(expectedCode) } };
}

/** What shall be fenced is told nothing any more, nor what is connected through a host that shall be. */
function isOutOfReach({ board }: PlanDraft, node: Node): boolean {
  const host = node.remote?.runningOn[0];
  return isUnclean(board, node) || (host !== undefined && isUnclean(board, host));
}

function canAct(plan: PlanDraft, resource: Resource, node: Node): boolean {
  return !isUnclean(plan.board, node) && isRunnable(plan, resource, node, "nothing");
}

function planOne(plan: PlanDraft, resource: Resource, operation: Operation, node: Node, nextRole: Role): void {
  const { name, intervalMs } = operation;
  const starts = stepsOf(plan, resource, "start").filter((start) => start.node === node);
  // What is only stopped, for it was active more than once, is not there to be watched.
  const isStopped = stepsOf(plan, resource, "stop").some((stop) => stop.node === node && stop.wanted);
  if (isStopped && starts.length === 0) return;
  const isRestarted = starts.some(({ wanted }) => wanted);
  if (!fits(resource, operation, nextRole)) {
    // A stop ends all monitors, but a demotion comes before it.
    const isStoppedAnyway = isRestarted && resource.role < ROLE.promoted;
    if (!isRecorded(resource, node, name, intervalMs) || isOutOfReach(plan, node) || isStoppedAnyway) return;
    const sameInterval = resource.operations.some(
      (other) =>
        other !== operation && other.intervalMs === intervalMs && fits(resource, other, nextRole) && other.enabled,
    );
    if (sameInterval) return;
    const made = cancel(plan, resource, node, name, intervalMs, isUp(plan.board, node) && !node.pending);
    for (const promote of stepsOf(plan, resource, "promote")) if (promote.node === node) link(plan, made, promote);
    for (const demote of stepsOf(plan, resource, "demote")) if (demote.node === node) link(plan, made, demote);
    return;
  }
  const expired = resource.expiredMonitors.some(
    (each) => each.node === node && each.key.endsWith(`_${name}_${intervalMs}`),
  );
  const managed = isManaged(plan.board, resource);
  const possible = canAct(plan, resource, node) && starts.every((start) => start.possible);
  const wanted = isRestarted || expired || !isRecorded(resource, node, name, intervalMs);
  const made = step(plan, {
    resource,
    node,
    operation: name,
    intervalMs,
    wanted: wanted && (managed || possible),
    reason: "recurring",
    possible,
    ...(nextRole === ROLE.promoted ? finding(CODE_PROMOTED) : {}),
  });
  if (managed) {
    for (const start of starts) link(plan, start, made, { firstDragsThen: true, needsFirst: true });
    if (nextRole === ROLE.promoted)
      // A promotion anew ends no monitor, so that it asks for none.
      for (const promote of stepsOf(plan, resource, "promote"))
        if (promote.node === node) link(plan, promote, made, { needsFirst: true });
    for (const demote of stepsOf(plan, resource, "demote"))
      if (demote.node === node && nextRole !== ROLE.promoted) link(plan, demote, made, { needsFirst: true });
  }
}

/** A monitor for the stopped role watches every node where the resource should not be. */
function planStopped(plan: PlanDraft, resource: Resource, operation: Operation, next: Node | undefined): void {
  const { name, intervalMs } = operation;
  const clash = resource.operations.some(
    (other) => other !== operation && other.intervalMs === intervalMs && other.role !== ROLE.stopped,
  );
  if (clash) return;
  for (const node of plan.facts.nodes) {
    if (node.kind === "ping") continue;
    if (node === next) {
      if (wasRecorded(resource, node, name, intervalMs) && isRecorded(resource, node, name, intervalMs)) {
        const made = cancel(plan, resource, node, name, intervalMs, isUp(plan.board, node));
        for (const start of stepsOf(plan, resource, "start")) if (start.node === node) link(plan, made, start);
      }
      continue;
    }
    // Where it runs and nobody may stop it, there is nothing to watch for.
    if (!isManaged(plan.board, resource) && resource.runningOn.includes(node)) continue;
    const managed = isManaged(plan.board, resource);
    const possible = isUp(plan.board, node) && !isUnclean(plan.board, node) && !node.pending;
    const wanted = !isRecordedStopped(resource, node, name, intervalMs) && (managed || possible);
    const shared = { resource, node, operation: name, intervalMs, wanted, possible, reason: "recurring" };
    const made = step(plan, { ...shared, ...finding(CODE_NOT_RUNNING) });
    if (!managed) continue;
    for (const probe of stepsOf(plan, resource, "monitor", 0))
      if (probe.node === node) link(plan, probe, made, { needsFirst: true });
    for (const stop of stepsOf(plan, resource, "stop"))
      if (stop.node === node) link(plan, stop, made, { firstDragsThen: true, needsFirst: true });
  }
}

function isRecordedStopped(resource: Resource, node: Node, name: string, intervalMs: number): boolean {
  const history = resource.history.get(node);
  return (
    history?.entries.some(
      (entry, index) => entry.task === name && entry.intervalMs === intervalMs && index > history.stopAt,
    ) === true
  );
}

/**
 * A node that gives up all that it has does not take the trouble to cancel single monitors. In maintenance it gives up
 * nothing, even when it is told to.
 */
export function isHereToStay(plan: PlanDraft, node: Node): boolean {
  const isLeaving = (node.standby || node.shutdown) && !node.maintenance;
  return isUp(plan.board, node) && !isOutOfReach(plan, node) && !isLeaving && !node.pending;
}

/**
 * What is in maintenance, by itself or with its node, is left wholly alone: even the watching stops. Of what is no
 * longer configured, or too much, not even that is touched.
 */
function cancelInMaintenance(plan: PlanDraft, resource: Resource): void {
  if (resource.removed) return;
  for (const node of resource.runningOn) {
    if ((!node.maintenance && !resource.maintenance) || !node.online || !isHereToStay(plan, node)) continue;
    for (const { name, intervalMs } of resource.operations)
      if (intervalMs > 0 && isRecorded(resource, node, name, intervalMs))
        cancel(plan, resource, node, name, intervalMs);
  }
}

/** The recurring operations of one primitive. */
export function planRecurring(plan: PlanDraft, resource: Resource): void {
  const motion = motionOf(plan.board, resource);
  cancelInMaintenance(plan, resource);
  if (resource.maintenance || resource.blocked) return;
  for (const operation of resource.operations) {
    const { name, intervalMs, enabled } = operation;
    if (intervalMs === 0 || NEVER_RECURRING.has(name) || !enabled) continue;
    // Two of one name and interval cannot be told apart by the executor: neither can be relied upon.
    const twins = resource.operations.filter((each) => each.name === name && each.intervalMs === intervalMs);
    if (twins.length > 1) continue;
    // Which instance of an anonymous clone is stopped on a node, nobody can say.
    if (operation.role === ROLE.stopped) {
      if (!inAnonymousClone(resource)) planStopped(plan, resource, operation, motion.to);
    } else if (motion.to !== undefined && !motion.to.maintenance)
      planOne(plan, resource, operation, motion.to, motion.nextRole);
  }
}

/** A resource that stops anyway is stopped first, wherever. */
export function linkCancels(plan: PlanDraft): void {
  for (const each of plan.steps) {
    if (each.operation !== "cancel" || each.resource === undefined || isConfigured(each)) continue;
    for (const stop of stepsOf(plan, each.resource, "stop")) link(plan, stop, each);
  }
}

function isConfigured({ resource, meta, intervalMs }: Step): boolean {
  return (
    resource?.operations.some((op) => op.name === meta["operation"] && op.intervalMs === intervalMs && op.enabled) ===
    true
  );
}
