/**
 * Groups and clones in the plan: pseudo steps that stand before and after what their members do.
 * Facts: Pacemaker Explained, "Groups - A Syntactic Shortcut", "Clone Options", "Promotable clones"; the words are
 * those of transition graphs.
 */
import { entryOf } from "../../../../base/record.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Resource } from "../facts/model.ts";
import { countedRole, inPromotable, isActive, primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignedNode, isManaged } from "../place/board.ts";
import { link, linkAll, type PlanDraft, step, sumUp, waitForStop } from "./draft.ts";
import { addNotifyFrame } from "./notify.ts";
import { type Collective, type LinkRules, type Step, stepsOf } from "./plan.ts";

/** What is done, and the word for: all of it is done. */
export const DONE: Readonly<Record<string, string>> = {
  start: "running",
  stop: "stopped",
  promote: "promoted",
  demote: "demoted",
};
const ENDS = new Set(Object.values(DONE));

/** That a clone is done is told even when the transition has been given up. */
function pseudo(plan: PlanDraft, resource: Resource, operation: string): Step {
  const isEnd = resource.kind === "clone" && ENDS.has(operation);
  return step(plan, { resource, operation, kind: "pseudo", priority: isEnd ? INFINITY_SCORE : 0 });
}

/** What has to be done for the member, and where that ends: for groups not the same. */
function beginOf(plan: PlanDraft, member: Resource, operation: string): readonly Step[] {
  return stepsOf(plan, member, operation);
}

function endOf(plan: PlanDraft, member: Resource, operation: string): readonly Step[] {
  return member.kind === "primitive"
    ? stepsOf(plan, member, operation)
    : stepsOf(plan, member, entryOf(DONE, operation) ?? "");
}

/**
 * A clone that may not begin (a node that cannot be asked yet may run what it must not) starts no instance. What runs
 * already is not stopped for that.
 */
function waitsForWhole(whole: Resource, { resource, operation, node }: Step): boolean {
  const isInClone = whole.kind === "clone" || whole.parent?.kind === "clone";
  if (!isInClone || operation !== "start" || resource === undefined) return false;
  return (
    !isActive(resource) || (node !== undefined && !primitivesOf(resource).some((each) => each.runningOn.includes(node)))
  );
}

/** The two pseudo steps around every task; they are there before any constraint looks for them. */
export function addFrame(plan: PlanDraft, resource: Resource): void {
  const tasks = tasksOf(resource);
  const add = (task: string) => {
    pseudo(plan, resource, task);
    pseudo(plan, resource, entryOf(DONE, task) ?? task);
  };
  // A member that cannot come up keeps others from it, and is told of when the group must.
  if (resource.kind === "group")
    for (const up of tasks.filter((task) => task === "start" || task === "promote"))
      for (const member of resource.children) stepsOrNone(plan, member, up);
  for (const task of tasks.slice(0, 2)) add(task);
  for (const task of tasks.slice(0, 2)) addNotifyFrame(plan, resource, task);
  // A clone's later tasks are written as they follow upon each other, a group's the other way round.
  for (const task of resource.kind === "group" ? tasks.slice(2).reverse() : tasks.slice(2)) {
    add(task);
    addNotifyFrame(plan, resource, task);
  }
}

function tasksOf(resource: Resource): readonly string[] {
  return inPromotable(resource) ? ["start", "stop", "promote", "demote"] : ["start", "stop"];
}

/** A group is down when all of it is; a clone's instances go down each for itself. */
function endMode(resource: Resource, operation: string): Collective["mode"] {
  if (resource.kind === "clone") return "any";
  const goesDown = operation === "stop" || operation === "demote";
  return goesDown ? "wanted" : "all";
}

function frame(plan: PlanDraft, resource: Resource, operation: string): void {
  const begin = pseudo(plan, resource, operation);
  const end = pseudo(plan, resource, entryOf(DONE, operation) ?? operation);
  const mode = resource.kind === "clone" ? "any" : "all";
  const begins = resource.children.flatMap((member) => beginOf(plan, member, operation));
  if (resource.kind === "group") for (const member of resource.children) stepsOrNone(plan, member, operation);
  const ends = resource.children.flatMap((member) => endOf(plan, member, operation));
  sumUp(plan, begin, begins, mode === "all" ? "free" : mode);
  sumUp(plan, end, ends, endMode(resource, operation));
  if (operation !== "promote") link(plan, begin, end);
  for (const each of begins) link(plan, begin, each, waitsForWhole(resource, each) ? { needsFirst: true } : {});
  for (const each of ends) link(plan, each, end);
  if (resource.kind === "group" && operation === "demote") holdDemoted(plan, resource, end);
  if (operation === "stop") for (const member of resource.children) waitForStop(plan, member, end);
}

/**
 * Of a group it is never told that it has been demoted while a member has no role to be demoted from, unless that one
 * counts as unpromoted already (crm_simulate as a black box).
 */
function holdDemoted(plan: PlanDraft, group: Resource, end: Step): void {
  for (const member of group.children) {
    if (countedRole(member) === ROLE.unpromoted || stepsOf(plan, member, "demote").length > 0) continue;
    const none = step(plan, { resource: member, operation: "demote", possible: false });
    link(plan, none, end, { needsFirst: true, hidden: true });
  }
}

const UP: LinkRules = { firstDragsThen: true, needsFirst: true };
const DOWN: LinkRules = { thenDragsFirst: true };

/** Members one after another, and back in the opposite order. */
function chainGroup(plan: PlanDraft, group: Resource): void {
  const promotable = inPromotable(group);
  restartLater(plan, group);
  dragPastUnmanaged(plan, group);
  group.children.forEach((member, index) => {
    const previous = group.children[index - 1];
    if (previous === undefined) return;
    for (const operation of promotable ? ["start", "promote"] : ["start"])
      for (const first of stepsOrNone(plan, previous, operation))
        for (const second of stepsOf(plan, member, operation)) link(plan, first, second, UP);
    for (const operation of promotable ? ["stop", "demote"] : ["stop"])
      for (const second of stepsOf(plan, previous, operation)) {
        // Those in between that do not run have nothing to stop, but keep nobody behind them from stopping first.
        const isBehind = (each: Resource) => stepsOf(plan, each, "stop").length > 0;
        const behind = operation === "stop" ? group.children.slice(index).find(isBehind) : member;
        // What nobody may stop keeps what it stands on from being stopped.
        for (const first of behind === undefined ? [] : stepsOf(plan, behind, operation))
          link(
            plan,
            first,
            second,
            behind === member && !isManaged(plan.board, member) ? { ...DOWN, needsFirst: true } : DOWN,
          );
        if (operation === "stop")
          for (const resource of new Set([member, behind ?? member])) waitForStop(plan, resource, second);
      }
  });
}

/** What nobody may start is passed over: what stands behind it is wanted all the same, and told where it cannot be. */
function dragPastUnmanaged(plan: PlanDraft, group: Resource): void {
  group.children.forEach((member, index) => {
    if (isManaged(plan.board, member)) return;
    const before = group.children.slice(0, index).findLast((each) => isManaged(plan.board, each));
    const behind = group.children.slice(index + 1).find((each) => isManaged(plan.board, each));
    if (before === undefined || behind === undefined) return;
    const rules = { firstDragsThen: true, hidden: true };
    linkAll(plan, stepsOf(plan, before, "start"), stepsOrNone(plan, behind, "start"), rules);
  });
}

/** A member that is to start among running ones: those behind it stop first. */
function restartLater(plan: PlanDraft, group: Resource): void {
  group.children.forEach((member, index) => {
    if (member.runningOn.length > 0 || !isManaged(plan.board, member)) return;
    const next = group.children.slice(index + 1).find(({ runningOn }) => runningOn.length > 0);
    if (next === undefined) return;
    for (const stop of stepsOf(plan, next, "stop"))
      for (const start of stepsOf(plan, member, "start")) link(plan, stop, start, { needsFirst: true });
  });
}

/**
 * A member that cannot be started anywhere keeps the next one from starting, although it has no step of its own; so
 * does one that is not to be promoted where it is.
 */
export function stepsOrNone(plan: PlanDraft, resource: Resource, operation: string): readonly Step[] {
  const found = stepsOf(plan, resource, operation);
  if (found.length > 0) return found;
  if (operation !== "start" && operation !== "promote") return [];
  return [step(plan, { resource, operation, node: assignedNode(plan.board, resource), possible: false })];
}

export function isOrderedGroup(group: Resource): boolean {
  return group.meta["ordered"] === undefined || /^(?:true|on|yes|y|1)$/i.test(group.meta["ordered"]);
}

/** The steps of a group; its members' own steps stand already. */
export function linkGroup(plan: PlanDraft, group: Resource): void {
  if (isOrderedGroup(group)) chainGroup(plan, group);
  for (const operation of tasksOf(group)) frame(plan, group, operation);
  const of = (operation: string) => stepsOf(plan, group, operation);
  for (const stopped of of("stopped")) for (const start of of("start")) link(plan, stopped, start);
  for (const demote of of("demote")) for (const promote of of("promote")) link(plan, demote, promote);
  for (const demoted of of("demoted")) for (const stop of of("stop")) link(plan, demoted, stop);
  for (const running of of("running")) for (const promote of of("promote")) link(plan, running, promote);
}

/** In what order the phases of a clone or a bundle follow each other. */
const PHASE_ORDER = [
  ["stopped", "start"],
  ["demoted", "stop"],
  ["demoted", "start"],
  ["demoted", "promote"],
  ["stopped", "promote"],
  ["running", "promote"],
] as const;

export function linkPhases(plan: PlanDraft, collective: Resource): void {
  for (const [first, second] of PHASE_ORDER)
    linkAll(plan, stepsOf(plan, collective, first), stepsOf(plan, collective, second));
}

/** While none of a clone can come up, it is not promoted, nor are the groups in it and their members. */
function holdPromotion(plan: PlanDraft, clone: Resource): void {
  const groups = clone.children.filter(({ kind }) => kind === "group");
  const inside = [clone, ...groups, ...groups.flatMap(({ children }) => children)];
  const promotes = inside.flatMap((each) => stepsOf(plan, each, "promote"));
  linkAll(plan, stepsOf(plan, clone, "running"), promotes, { needsFirst: true, hidden: true });
}

/** The steps of a clone; those of its instances stand already. */
export function linkClone(plan: PlanDraft, clone: Resource): void {
  for (const operation of tasksOf(clone)) frame(plan, clone, operation);
  linkPhases(plan, clone);
  holdPromotion(plan, clone);
  if (clone.ordered) linkInSeries(plan, clone);
}

/**
 * Instance after instance, and back in the opposite order: each waits for the one before it, and for the one before it
 * that has anything to start or stop. Further back nothing is waited for (crm_simulate as a black box).
 */
function linkInSeries(plan: PlanDraft, clone: Resource): void {
  // In a bundle the containers set the order; who is promoted when is not part of it.
  const isPromoted = clone.promotable && clone.parent === undefined;
  let [lastStart, lastStop]: (readonly Step[])[] = [[], []];
  clone.children.forEach((instance, index) => {
    const previous = clone.children[index - 1];
    if (previous !== undefined) {
      // Done with what must come first: what belongs together needs its first half.
      for (const up of isPromoted ? ["start", "promote"] : ["start"])
        linkAll(plan, endOf(plan, previous, up), beginOf(plan, instance, up));
      for (const down of isPromoted ? ["stop", "demote"] : ["stop"])
        linkAll(plan, endOf(plan, instance, down), beginOf(plan, previous, down));
    }
    for (const earlier of clone.children.slice(0, index))
      for (const second of beginOf(plan, earlier, "stop")) waitForStop(plan, instance, second);
    if (instance.kind !== "primitive") return;
    const wantedOf = (task: string) => stepsOf(plan, instance, task).filter(({ wanted }) => wanted);
    const [starts, stops] = [wantedOf("start"), wantedOf("stop")];
    linkAll(plan, lastStart ?? [], starts);
    linkAll(plan, stops, lastStop ?? []);
    if (starts.length > 0) lastStart = starts;
    if (stops.length > 0) lastStop = stops;
  });
}
