/**
 * What each primitive must go through to get from its role now to its role next, on which nodes.
 * Steps that change nothing are written too, not required: a restart of what it depends on may draw them in.
 * Facts: Pacemaker Explained, "Resource Meta-Attributes" (target-role, multiple-active); crm_simulate as a black box.
 */
import type { Facts, Node, Resource } from "../facts/model.ts";
import { countedRole, inPromotable } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { type Board, isManaged, isUnclean, isUp, nextRoleOf } from "../place/board.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { type Needs, type Placed, type Step, stepsOf } from "./plan.ts";

/** The role after one step from `now` towards `goal`. */
function oneStep(now: Role, goal: Role): Role {
  if (now === goal) return now;
  if (now <= ROLE.stopped) return goal >= ROLE.unpromoted ? ROLE.unpromoted : ROLE.started;
  if (goal <= ROLE.stopped) return now === ROLE.promoted ? ROLE.unpromoted : ROLE.stopped;
  if (goal === ROLE.promoted) return ROLE.promoted;
  return ROLE.unpromoted;
}

export interface Motion {
  readonly resource: Resource;
  readonly from: readonly Node[];
  readonly to: Node | undefined;
  readonly role: Role;
  readonly nextRole: Role;
}

/** Whether a step on that node can be carried out now. */
export function isRunnable(
  { facts, board }: Placed,
  resource: Resource,
  node: Node | undefined,
  needs: Needs,
): boolean {
  if (node === undefined || node.pending || !isUp(board, node)) return false;
  if (needs === "nothing" || facts.options.quorate) return true;
  const policy = policyWithoutQuorum(facts, resource);
  if (policy === "ignore") return true;
  return policy === "freeze" && resource.runningOn.length > 0 && nextRoleOf(board, resource) <= countedRole(resource);
}

/** `demote` lets run, unpromoted, what has roles and is up; everything else stops. */
function policyWithoutQuorum({ options }: Facts, resource: Resource): Facts["options"]["noQuorumPolicy"] {
  if (options.noQuorumPolicy !== "demote") return options.noQuorumPolicy;
  return countedRole(resource) > ROLE.started ? "ignore" : "stop";
}

function isHeldByQuorum(facts: Facts, resource: Resource): boolean {
  return !facts.options.quorate && policyWithoutQuorum(facts, resource) !== "ignore";
}

function needsOf(resource: Resource, operation: string): Needs {
  if (operation !== "start" && operation !== "promote") return "nothing";
  if (resource.requires === "fencing" || resource.requires === "unfencing") return "fencing";
  return resource.requires === "quorum" ? "quorum" : "nothing";
}

/** A resource's step, judged for whether it can run; of an unmanaged resource nothing is ever required. */
export function act(
  plan: PlanDraft,
  resource: Resource,
  operation: string,
  node: Node | undefined,
  required: boolean,
  reason: string,
): Step {
  const needs = needsOf(resource, operation);
  const managed = isManaged(plan.board, resource);
  // A failure that waits for an operator: what is not known to have stopped cannot be told to stop again.
  const possible = isRunnable(plan, resource, node, needs) && (managed || operation !== "stop");
  const isKept = !possible && needs !== "nothing";
  // Without quorum nothing more is wanted; what runs is stopped because it could not be started again.
  const wanted = required && managed && !(isKept && isHeldByQuorum(plan.facts, resource));
  const isToldSo = isKept && node?.online === true && !plan.facts.options.quorate;
  const why = isToldSo ? withoutQuorum(plan.facts, operation) : reason;
  return step(plan, { resource, node, operation, needs, possible, wanted, reason: why });
}

/** That quorum is wanting is said of starts only. */
function withoutQuorum({ options }: Facts, operation: string): string {
  if (operation !== "start") return "";
  return options.noQuorumPolicy === "freeze" ? "quorum freeze" : "no quorum";
}

function bringDown(plan: PlanDraft, motion: Motion, required: boolean, reason: string): void {
  let role = motion.role;
  while (role > ROLE.stopped) {
    const next = oneStep(role, ROLE.stopped);
    const operation = next === ROLE.stopped ? "stop" : "demote";
    if (operation === "stop") stopAll(plan, motion.resource, required, reason);
    else for (const node of motion.resource.runningOn) act(plan, motion.resource, "demote", node, required, reason);
    role = next;
  }
}

function stopAll(plan: PlanDraft, resource: Resource, required: boolean, reason: string): void {
  const arriving = isMigrating(resource) ? resource.migrationTarget : undefined;
  const staysThere = arriving !== undefined && plan.board.assigned[resource.index] === arriving;
  for (const node of resource.runningOn) {
    if (staysThere && node === arriving) continue;
    act(plan, resource, "stop", node, required, reason);
  }
}

function bringUp(
  plan: PlanDraft,
  motion: Motion,
  from: Role,
  goal: Role,
  required: boolean,
  promoteRequired: boolean,
  reason: string,
): void {
  let role = from;
  while (role < goal) {
    const next = oneStep(role, goal);
    if (next === role) return;
    const isPromote = next === ROLE.promoted;
    const must = isPromote ? required || promoteRequired : required;
    act(plan, motion.resource, isPromote ? "promote" : "start", motion.to, must, reason);
    role = next;
  }
}

/** Role without a word for where it is between: a clone's started is unpromoted. */
function normalize(resource: Resource, role: Role): Role {
  if (role === ROLE.started && inPromotable(resource)) return ROLE.unpromoted;
  return role === ROLE.unknown ? ROLE.stopped : role;
}

/** What was handed over runs, although its source has seen it stopped since. */
function roleNow(resource: Resource): Role {
  const target = isMigrating(resource) ? resource.migrationTarget : undefined;
  const isHandedOver = target !== undefined && resource.runningOn.includes(target);
  return isHandedOver && resource.role <= ROLE.stopped ? ROLE.started : resource.role;
}

export function motionOf(board: Board, resource: Resource): Motion {
  const to = board.assigned[resource.index];
  const next = nextRoleOf(board, resource);
  const wanted = next === ROLE.unknown ? (to === undefined ? ROLE.stopped : ROLE.started) : next;
  return {
    resource,
    from: resource.runningOn,
    to,
    role: resource.runningOn.length === 0 ? ROLE.stopped : normalize(resource, roleNow(resource)),
    nextRole: normalize(resource, wanted),
  };
}

function restartReason(resource: Resource, moved: boolean, multiple: boolean): string | undefined {
  if (moved) return "move";
  if (multiple) return "multiple-active";
  if (resource.failed) return "failed";
  if (resource.restartContainer) return "restart container";
  return undefined;
}

/** Stops it where it is not meant to be; where it is, it is left running and its start only noted. */
function stopUnexpected(plan: PlanDraft, resource: Resource, to: Node): void {
  for (const node of resource.runningOn) if (node !== to) act(plan, resource, "stop", node, true, "multiple-active");
  act(plan, resource, "start", to, true, "multiple-active");
  step(plan, { resource, node: to, operation: "start", implied: true, alone: true });
}

/** All steps of one primitive's life in this transition. */
export function planLifecycle(plan: PlanDraft, resource: Resource): void {
  const motion = motionOf(plan.board, resource);
  const managed = isManaged(plan.board, resource);
  const { from, to, role, nextRole } = motion;
  const dangling = resource.dangling.filter((node) => from.includes(node));
  const others = from.filter((node) => !dangling.includes(node));
  // A lost node does not count where nothing has to wait for its fencing (as for a fencing device itself).
  const waits = resource.requires === "fencing" || resource.requires === "unfencing";
  const counted = waits ? others : others.filter((node) => !isUnclean(plan.board, node));
  const multiple = counted.length > 1 && !isMigrating(resource);
  const moved = to !== undefined && ((others.length > 0 && !others.includes(to)) || isMigrating(resource));
  for (const node of dangling) act(plan, resource, "stop", node, true, "dangling migration");
  if (multiple && resource.multiplyActive === "stop_only") {
    stopAll(plan, resource, true, "multiple-active");
    return;
  }
  if (role > ROLE.stopped) {
    if (to === undefined) {
      bringDown(plan, motion, true, "node availability");
      // A start that is under way would be made again, though there is no node for it.
      const goal = resource.pendingTask === "start" && nextRole === ROLE.stopped ? role : nextRole;
      if (goal > ROLE.stopped) bringUp(plan, motion, ROLE.stopped, goal, true, true, "node availability");
      return;
    }
    const reason = restartReason(resource, moved, multiple);
    const demoteOnly = resource.demoteWanted && resource.failed && !moved && !multiple;
    if (multiple && resource.multiplyActive === "stop_unexpected" && others.includes(to) && !resource.failed) {
      stopUnexpected(plan, resource, to);
      return;
    }
    // Recorded in a role that its configuration does not know, it has to be started anew to be merely started.
    const isOutOfRole = role > ROLE.started && nextRole === ROLE.started;
    const required = (reason !== undefined && !demoteOnly) || isOutOfRole;
    const startsAgain = resource.pendingTask === "start" && resource.pendingNode === to;
    const failedPromoted = role === ROLE.promoted && (required || demoteOnly);
    if (demoteOnly) for (const node of from) act(plan, resource, "demote", node, true, "failed");
    bringDown(plan, motion, required && managed, reason ?? "");
    bringUp(
      plan,
      motion,
      ROLE.stopped,
      Math.min(role, nextRole) as Role,
      // Where it comes down in role, too, it is its stop that asks for the start.
      required && managed && role <= nextRole,
      failedPromoted && nextRole === ROLE.promoted,
      reason ?? "",
    );
    if (startsAgain && !required)
      for (const { node, wantedFor } of stepsOf(plan, resource, "start"))
        step(plan, { resource, node, operation: "start", alone: true, wanted: managed, reason: wantedFor });
    if (nextRole > role) bringUp(plan, motion, role, nextRole, true, true, "role");
    else if (nextRole < role && !isOutOfRole)
      for (const node of from) act(plan, resource, "demote", node, true, "role");
  } else if (nextRole > ROLE.stopped) bringUp(plan, motion, ROLE.stopped, nextRole, true, true, "node availability");
}

export function isMigrating(resource: Resource): boolean {
  return resource.migrationSource !== undefined && resource.migrationTarget !== undefined;
}

/** The order within one resource: down before up, demote before stop, start before promote. */
export function linkLifecycle(plan: PlanDraft, resource: Resource, awaited: ReadonlySet<Step>): void {
  const starts = stepsOf(plan, resource, "start");
  const stops = stepsOf(plan, resource, "stop");
  const promotes = stepsOf(plan, resource, "promote");
  const demotes = stepsOf(plan, resource, "demote");
  // Whether a member with no place must start is the group's matter, and that of those who wait for it.
  const isInGroup = resource.parent?.kind === "group";
  const placed = isInGroup ? starts.filter((each) => each.node !== undefined || awaited.has(each)) : starts;
  const hasArrived = resource.runningOn.some((node) => !resource.dangling.includes(node));
  for (const stop of stops) {
    // What was left behind is cleaned up; that is no reason to start anew what has arrived elsewhere.
    const isLeft = hasArrived && stop.node !== undefined && resource.dangling.includes(stop.node);
    for (const start of placed) link(plan, stop, start, isLeft ? {} : { firstDragsThen: true, restart: true });
    for (const demote of demotes) if (demote.node === stop.node) link(plan, demote, stop, { promotedDrags: true });
  }
  for (const demote of demotes) for (const other of stops) if (other.node !== demote.node) link(plan, demote, other);
  for (const promote of promotes) {
    for (const start of starts) link(plan, start, promote, { needsFirst: true });
    for (const demote of demotes) link(plan, demote, promote, {});
  }
}
