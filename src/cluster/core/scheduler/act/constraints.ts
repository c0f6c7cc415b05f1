/**
 * Order constraints as links between steps: for single resources, for groups and clones as wholes, and instance by
 * instance for interleaved clones.
 * Facts: Pacemaker Explained, "Ordering Properties" (kind, symmetrical, first-action), "Clone Options"
 * (interleave, clone-min).
 */
import { entryOf } from "../../../../base/record.ts";
import type { Node, Resource, ResourceOrder, SetGate } from "../facts/model.ts";
import { isActive, primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignedOf, isManaged, scoreOn } from "../place/board.ts";
import { sortNodes } from "../place/choose-node.ts";
import { DONE } from "./collectives.ts";
import { addGate, link, linkAll, type PlanDraft, step, waitForStop } from "./draft.ts";
import { type LinkRules, type Step, stepsNamed, stepsOf } from "./plan.ts";

/** What the orders say of steps, beside what they link. */
export interface Awaited {
  /** Somebody waits for it, although it has no place: that it is wanted is told. */
  readonly awaited: ReadonlySet<Step>;
  /** It would need the instance beside it, and there is none: it cannot run. */
  readonly forsaken: ReadonlySet<Step>;
}

interface Waits extends Awaited {
  readonly awaited: Set<Step>;
  readonly forsaken: Set<Step>;
}

const GOES_UP = new Set(["start", "promote"]);

function rulesOf(order: ResourceOrder): LinkRules {
  const up = GOES_UP.has(order.firstTask);
  if (order.kind === "optional") return { optional: true };
  if (order.kind === "serialize") return {};
  if (!order.symmetrical) return { asymmetric: true, ...(up ? { needsFirst: true } : {}) };
  // The way back of an order among stops is only an order: nobody starts for being stopped last.
  if (order.inverse) return up ? {} : { thenDragsFirst: true };
  return { firstDragsThen: true, ...(up ? { needsFirst: true } : {}) };
}

/** What completes the task for that resource. A clone that notifies is done when all have been told. */
export function completionOf(plan: PlanDraft, resource: Resource, task: string): readonly Step[] {
  if (resource.kind === "primitive") return stepsOf(plan, resource, task);
  // Pacemaker takes a bundle that notifies as done once it begins: what its clone tells afterwards is awaited by none.
  if (resource.kind === "bundle" && resource.notify) return stepsOf(plan, resource, task);
  const done = entryOf(DONE, task) ?? task;
  if (resource.notify) {
    const told = stepsNamed(plan, resource, `${resource.id}_confirmed-post_notify_${done}_0`);
    if (told.length > 0) return told;
  }
  return stepsOf(plan, resource, done);
}

/** Nothing to do there, for it has been so all along: then it does not hold anything up. */
function isTrivial(resource: Resource, task: string): boolean {
  if (task === "stop") return resource.role === ROLE.stopped || resource.role === ROLE.unknown;
  return task === "demote" && resource.role !== ROLE.promoted;
}

function firstsOf(plan: PlanDraft, waits: Waits, resource: Resource, task: string): readonly Step[] {
  const found = completionOf(plan, resource, task);
  for (const each of found) waits.awaited.add(each);
  if (found.length > 0 || resource.kind !== "primitive") return found;
  if (isTrivial(resource, task) || !["start", "stop", "promote", "demote"].includes(task)) return [];
  const none = step(plan, { resource, operation: task, possible: false });
  waits.awaited.add(none);
  return [none];
}

/** Of a bundle the containers start and stop; everything else follows them. */
function membersSteps(plan: PlanDraft, resource: Resource, task: string): readonly Step[] {
  const members =
    resource.kind === "bundle" ? resource.replicas.map(({ container }) => container) : primitivesOf(resource);
  const isBegun = resource.kind === "clone" && GOES_UP.has(task);
  const inner = isBegun ? resource.children.filter(({ kind }) => kind === "group") : [];
  return [...inner, ...members].flatMap((member) => stepsOf(plan, member, task));
}

/**
 * An instance that cannot come up, for want of a node or of quorum, is not drawn in by what its clone waits for; one
 * that is up is, for it stops where it could not be started again.
 */
function staysAway({ resource, operation, possible, wanted }: Step, isForsaken: boolean): boolean {
  if (resource?.parent?.kind !== "clone" || (possible && !isForsaken) || wanted) return false;
  return operation === "promote" || (operation === "start" && !isActive(resource));
}

/** What the fencing of a guest implies comes after the stop of its container, which is that fencing. */
function isBehindFencing({ implied, node }: Step, { resource, operation }: Step): boolean {
  if (!implied || node?.kind !== "guest" || resource === undefined) return false;
  return operation === "stop" && node.remote?.container === resource;
}

/** A part of it is, and the whole with that part. */
function isPartBehindFencing(plan: PlanDraft, { first, firstTask }: ResourceOrder, second: Step): boolean {
  if (firstTask !== "stop" || second.resource === undefined || second.resource.fillers.length === 0) return false;
  return primitivesOf(first).some((part) => stepsOf(plan, part, "stop").some((stop) => isBehindFencing(stop, second)));
}

function linkWhole(plan: PlanDraft, waits: Waits, order: ResourceOrder, rules: LinkRules): void {
  const firsts = firstsOf(plan, waits, order.first, order.firstTask);
  if (order.firstTask === "stop")
    for (const second of stepsOf(plan, order.second, order.secondTask))
      if (order.first !== order.second) waitForStop(plan, order.first, second);
  const seconds = stepsOf(plan, order.second, order.secondTask);
  const head = order.second.kind === "group" ? primitivesOf(order.second)[0] : undefined;
  const at = head?.runningOn[0];
  // A group that stays where it is is looked at from there, and so are those of its members that have no place.
  const stays = head !== undefined && assignedOf(plan.board, head) === at ? at : undefined;
  // Of a clone one instance may go while the others stay: that alone takes nobody down who waits for the clone.
  const drags = rules.thenDragsFirst === true && order.second.kind !== "clone";
  // Going down nothing is required of a whole itself; what is required of its members draws it in.
  const whole = {
    ...rules,
    ...(at === undefined ? {} : { at }),
    thenDragsFirst: drags && order.first.kind === "primitive",
  };
  const free = seconds.filter((second) => !isPartBehindFencing(plan, order, second));
  for (const first of firsts) for (const second of free) link(plan, first, second, whole);
  // What is required of a whole is required of each of its members.
  if (order.second.kind !== "primitive" && (rules.firstDragsThen === true || rules.needsFirst === true))
    for (const first of firsts)
      for (const second of membersSteps(plan, order.second, order.secondTask))
        if (!staysAway(second, waits.forsaken.has(second)))
          link(plan, first, second, { ...rules, at: stays, hidden: true });
  if (order.first.kind !== "primitive" && drags)
    for (const first of membersSteps(plan, order.first, order.firstTask))
      for (const second of seconds) link(plan, first, second, { thenDragsFirst: true, hidden: true });
}

function nodeOfInstance(plan: PlanDraft, instance: Resource, now: boolean): Node | undefined {
  if (!now) return assignedOf(plan.board, instance);
  return primitivesOf(instance).find(({ runningOn }) => runningOn.length > 0)?.runningOn[0];
}

function isSpread({ kind }: Resource): boolean {
  return kind === "clone" || kind === "bundle";
}

interface Instance {
  /** What stands where the instance counts as being. */
  readonly placed: Resource;
  /** What the task is done by: a replica is up when the resource inside is. */
  readonly whole: Resource;
  /** What has to wait: of a replica the container, but for promotions. */
  readonly waiting: Resource;
}

function instancesOf(resource: Resource, task: string): readonly Instance[] {
  if (resource.kind !== "bundle")
    return resource.children.map((each) => ({ placed: each, whole: each, waiting: each }));
  const isInside = task === "promote" || task === "demote";
  return resource.replicas.map(({ container, child }) => {
    const whole = child ?? container;
    return { placed: container, whole, waiting: isInside ? whole : container };
  });
}

/** What counts is the wish of the one that depends, on the way up and on the way back. */
function isInterleaved({ first, firstTask, second, secondTask, inverse, kind }: ResourceOrder): boolean {
  if (!isSpread(first) || !isSpread(second) || kind === "serialize") return false;
  const isWayBack = inverse || !(GOES_UP.has(firstTask) || GOES_UP.has(secondTask));
  return isWayBack ? first.interleave : second.interleave;
}

interface WithoutNode {
  readonly firsts: readonly Instance[];
  readonly order: ResourceOrder;
  readonly second: Resource;
  readonly rules: LinkRules;
}

/**
 * An instance that is down and has no node waits for the one that is where it would be first of all nodes, allowed or
 * not, and is told as what should start and cannot. Of groups nothing of the kind is told yet, nor of what is stopped.
 * Fact: crm_simulate as a black box; reference cases interleave-restart, clone-order-16instances.
 */
function linkWithoutNode(plan: PlanDraft, waits: Waits, { firsts, order, second, rules }: WithoutNode): void {
  const { board } = plan;
  if (second.kind !== "primitive" || order.firstTask !== "start" || order.secondTask !== "start") return;
  if (rules.firstDragsThen !== true || !isManaged(board, second) || isActive(second)) return;
  for (const node of sortNodes(board, board.nodes, (each) => scoreOn(board, second, each), undefined)) {
    const first = firsts.find(({ placed }) => nodeOfInstance(plan, placed, false) === node)?.whole;
    if (first === undefined) continue;
    const none = step(plan, { resource: second, operation: "start", possible: false });
    for (const one of firstsOf(plan, waits, first, order.firstTask)) link(plan, one, none, rules);
    return;
  }
}

/** Instance by instance: each waits only for the one beside it. */
function linkInterleaved(plan: PlanDraft, waits: Waits, order: ResourceOrder, rules: LinkRules): void {
  const now = !GOES_UP.has(order.firstTask);
  const firsts = instancesOf(order.first, order.firstTask);
  for (const { placed, waiting: second } of instancesOf(order.second, order.secondTask)) {
    const node = nodeOfInstance(plan, placed, now);
    const first =
      node === undefined ? undefined : firsts.find((each) => nodeOfInstance(plan, each.placed, now) === node)?.whole;
    const seconds = stepsOf(plan, second, order.secondTask);
    if (!now && node === undefined) linkWithoutNode(plan, waits, { firsts, order, second, rules });
    if (first === undefined) {
      if (!now && rules.needsFirst === true) for (const each of seconds) waits.forsaken.add(each);
      continue;
    }
    if (seconds.length === 0) continue;
    for (const one of firstsOf(plan, waits, first, order.firstTask))
      for (const other of seconds) link(plan, one, other, rules);
    if (second.kind !== "primitive" && rules.firstDragsThen === true)
      for (const one of firstsOf(plan, waits, first, order.firstTask))
        for (const other of membersSteps(plan, second, order.secondTask))
          link(plan, one, other, { ...rules, hidden: true });
    if (first.kind !== "primitive" && rules.thenDragsFirst === true)
      for (const one of membersSteps(plan, first, order.firstTask))
        for (const other of seconds) link(plan, one, other, { thenDragsFirst: true, hidden: true });
  }
  const whole = completionOf(plan, order.first, order.firstTask);
  for (const one of whole)
    for (const other of stepsOf(plan, order.second, order.secondTask)) link(plan, one, other, {});
}

function linkGate(plan: PlanDraft, waits: Waits, order: ResourceOrder): void {
  const gate = step(plan, {
    operation: `clone-one-or-more:${order.id}`,
    key: `clone-one-or-more:${order.id}`,
    kind: "pseudo",
  });
  addGate(plan, gate, order.min);
  for (const instance of order.first.children)
    for (const first of firstsOf(plan, waits, instance, order.firstTask)) link(plan, first, gate, { gate: true });
  const isOneWay = order.kind === "mandatory" && !order.symmetrical;
  linkBehindGate(plan, waits, gate, { resource: order.second, task: order.secondTask }, isOneWay);
}

/** What must not begin before the gate is open. One way, it is told as wanted even where quorum is wanting. */
function linkBehindGate(
  plan: PlanDraft,
  waits: Waits,
  gate: Step,
  { resource, task }: SetGate["second"][number],
  isOneWay: boolean,
): void {
  const seconds = stepsOf(plan, resource, task);
  const members = resource.kind === "primitive" ? [] : membersSteps(plan, resource, task);
  linkAll(plan, [gate], seconds, { needsFirst: true });
  linkAll(plan, [gate], members, { needsFirst: true, hidden: true });
  if (!isOneWay) return;
  const drawnIn = members.filter((each) => !staysAway(each, waits.forsaken.has(each)));
  linkAll(plan, [gate], [...seconds, ...drawnIn], { asymmetric: true, hidden: true });
}

function linkSetGates(plan: PlanDraft, waits: Waits): void {
  for (const { name, members, min, second, kind, symmetrical } of plan.facts.setGates) {
    const gate = step(plan, { operation: name, key: name, kind: "pseudo" });
    addGate(plan, gate, min);
    // One of many need but have begun: of a whole not all is waited for.
    for (const { resource, task } of members) {
      const firsts =
        resource.kind === "primitive" ? firstsOf(plan, waits, resource, task) : stepsOf(plan, resource, task);
      for (const first of firsts) link(plan, first, gate, { gate: true });
    }
    for (const each of second)
      if (kind === "mandatory") linkBehindGate(plan, waits, gate, each, !symmetrical);
      else linkAll(plan, [gate], stepsOf(plan, each.resource, each.task));
  }
}

/**
 * Of several orders between the same two tasks the one that is configured first stands, whatever its kind
 * (crm_simulate as a black box): a mandatory one behind an optional one adds nothing.
 */
function firstOnes(orders: readonly ResourceOrder[]): readonly ResourceOrder[] {
  const known = new Set<string>();
  return orders.filter(({ first, firstTask, second, secondTask, min }) => {
    if (min > 0) return true;
    const key = [first.index, firstTask, second.index, secondTask].join(" ");
    return !known.has(key) && known.add(key);
  });
}

/** Links for every order constraint. */
export function linkOrders(plan: PlanDraft): Awaited {
  const waits: Waits = { awaited: new Set(), forsaken: new Set() };
  for (const order of firstOnes(plan.facts.orders)) {
    const rules = rulesOf(order);
    if (order.min > 0 && GOES_UP.has(order.firstTask)) linkGate(plan, waits, order);
    else if (isInterleaved(order)) linkInterleaved(plan, waits, order, rules);
    else linkWhole(plan, waits, order, rules);
  }
  linkSetGates(plan, waits);
  return waits;
}
