/**
 * Notifications of clones: before and after each task every active instance is told, and the task waits for them.
 * The time line within one transition is demote, stop, start, promote: an instance hears what happens while it lives.
 * Facts: Pacemaker Explained, "Clone Resource Agent Requirements" (notifications: pre, post, CRM_meta_notify_*).
 */
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignedNode, isManaged, isUnclean, isUp } from "../place/board.ts";
import { link, openAddition, type PlanDraft, step, sumUp } from "./draft.ts";
import { type Link, type Plan, type Step, stepsNamed, stepsOf } from "./plan.ts";
import type { Settled } from "./settle.ts";

const TASKS = ["demote", "stop", "start", "promote"] as const;
type Task = (typeof TASKS)[number];
const DONE: Readonly<Record<Task, string>> = {
  start: "running",
  stop: "stopped",
  promote: "promoted",
  demote: "demoted",
};
/** What has been told must be heard before anything else of the transition's tail. */
const PRIORITY_AFTER = 1_000_000;

/** In the order in which they are told of. */
function tasksOf(clone: Resource): readonly Task[] {
  return clone.promotable ? ["start", "stop", "promote", "demote"] : ["start", "stop"];
}

const preKey = (clone: Resource, task: Task) => `${clone.id}_pre_notify_${task}_0`;
const preDoneKey = (clone: Resource, task: Task) => `${clone.id}_confirmed-pre_notify_${task}_0`;
const postKey = (clone: Resource, task: Task) => `${clone.id}_post_notify_${DONE[task]}_0`;
const postDoneKey = (clone: Resource, task: Task) => `${clone.id}_confirmed-post_notify_${DONE[task]}_0`;

function frameStep(plan: PlanDraft, resource: Resource, operation: string, key: string, priority = 0): Step {
  return step(plan, { resource, operation, key, kind: "pseudo", priority });
}

/** The pseudo steps around one task of a clone that notifies. */
export function addNotifyFrame(plan: PlanDraft, clone: Resource, name: string): void {
  const task = TASKS.find((each) => each === name);
  if (!clone.notify || task === undefined) return;
  const begin = stepsOf(plan, clone, task)[0];
  const end = stepsOf(plan, clone, DONE[task])[0];
  if (begin === undefined || end === undefined) return;
  const pre = frameStep(plan, clone, "notify", preKey(clone, task));
  const preDone = frameStep(plan, clone, "notified", preDoneKey(clone, task));
  const post = frameStep(plan, clone, "notify", postKey(clone, task), PRIORITY_AFTER);
  const postDone = frameStep(plan, clone, "notified", postDoneKey(clone, task), PRIORITY_AFTER);
  link(plan, pre, preDone);
  link(plan, preDone, begin);
  link(plan, preDone, post);
  link(plan, end, post);
  link(plan, post, postDone);
  // A task that somebody asks of the clone is nothing to tell of while no instance has a part in it.
  // That it begins is told even when not all of it can be brought to an end; that groups begin, even when none can.
  const isOfGroups = clone.children.some(({ kind }) => kind === "group");
  for (const each of [pre, preDone, post, postDone]) {
    const isBefore = each === pre || each === preDone;
    sumUp(plan, each, [end], isBefore ? "free" : "all");
    if (!isBefore || !isOfGroups) link(plan, begin, each, { needsFirst: true, hidden: true });
  }
}

const AFTER: readonly (readonly [Task, Task])[] = [
  ["stop", "start"],
  ["demote", "stop"],
  ["demote", "start"],
  ["demote", "promote"],
  ["stop", "promote"],
  ["start", "promote"],
];

/** One task is told to the end before the next one is announced. */
export function linkNotifications(plan: PlanDraft, clone: Resource): void {
  for (const [first, second] of AFTER) {
    const [one] = stepsNamed(plan, clone, postDoneKey(clone, first));
    const [other] = stepsNamed(plan, clone, preKey(clone, second));
    if (one !== undefined && other !== undefined) link(plan, one, other);
  }
}

/** Telling, after the plan has settled. */
interface Telling {
  readonly plan: Plan;
  readonly settled: Settled;
  readonly added: PlanDraft;
}

/** It is wanted and can be. */
const isIn = ({ settled }: Pick<Telling, "settled">, { index }: Step) =>
  settled.required[index] === true && settled.runnable[index] === true;

interface Life {
  readonly resource: Resource;
  readonly now: Node | undefined;
  readonly next: Node | undefined;
  readonly stops: boolean;
  readonly starts: boolean;
}

function livesOf(telling: Telling, clone: Resource): Life[] {
  const { plan, settled } = telling;
  return clone.children.flatMap(primitivesOf).map((resource) => {
    const stops = stepsOf(plan, resource, "stop").some(({ index }) => settled.required[index] === true);
    const start = stepsOf(plan, resource, "start").find((each) => isIn(telling, each));
    const now = resource.role > ROLE.stopped ? resource.runningOn[0] : undefined;
    return { resource, now, next: start?.node, stops, starts: start !== undefined };
  });
}

/** Where the instance lives when it is told, if it does. */
function hears(life: Life, task: Task, when: "pre" | "post"): Node | undefined {
  const { now, next, stops, starts } = life;
  if (task === "demote" || (task === "stop" && when === "pre")) return now;
  if (task === "stop" || (task === "start" && when === "pre")) return stops ? undefined : now;
  return starts ? next : stops ? undefined : now;
}

function tell(
  { plan, added }: Telling,
  life: Life,
  task: Task,
  when: "pre" | "post",
  frame: readonly [Step, Step],
): Step | undefined {
  const node = hears(life, task, when);
  // What is left alone is not told either.
  if (node === undefined || isUnclean(plan.board, node) || !isManaged(plan.board, life.resource)) return undefined;
  // Who comes up only in this transition can be told once it is there.
  const isNew = life.starts && (task === "promote" || (task === "start" && when === "post"));
  if (!(isNew ? isUp(plan.board, node) : node.online)) return undefined;
  const { resource } = life;
  const told = step(added, {
    resource,
    node,
    operation: "notify",
    key: `${resource.id}_${when}_notify_${task}_0`,
    wanted: true,
    reason: "notify",
    possible: !node.pending,
    meta: { notify_type: when, notify_operation: task, notify_key_type: when, notify_key_operation: task },
    priority: when === "post" ? PRIORITY_AFTER : 0,
  });
  link(added, frame[0], told);
  link(added, told, frame[1]);
  return told;
}

const FENCED = "post_notify_stonith";

/** That an instance went down with its node is news of its own: those that live hear of it after the fencing. */
function tellOfFencing({ plan, settled, added }: Telling, resource: Resource, told: readonly Step[]): readonly Step[] {
  const isSeen = ({ index, implied }: Step) => implied && settled.required[index] === true;
  const stop = stepsOf(plan, resource, "stop").find(isSeen);
  const fence = plan.steps.find(({ operation, node }) => operation === "stonith" && node === stop?.node);
  if (stop === undefined || fence === undefined) return [];
  const shared = { resource, kind: "pseudo", wanted: true, reason: "notify", priority: PRIORITY_AFTER } as const;
  // What the executor knows by a name of its own is told in the words of a stop, anything else in those of a fencing.
  const isNamed = (resource.recordedName ?? resource.baseId) !== resource.id;
  const [begun, ended] = isNamed ? ["post_notify_stop", "notified"] : [FENCED, `confirmed-${FENCED}`];
  const post = step(added, { ...shared, operation: "notify", key: `${resource.id}_${begun}_0` });
  const done = step(added, { ...shared, operation: "notified", key: `${resource.id}_${ended}_0` });
  link(added, fence, post);
  link(added, post, done);
  for (const each of told) {
    link(added, post, each);
    link(added, each, done);
  }
  return [done];
}

/** Tells the living of one task of their clone. */
function tellOf(telling: Telling, clone: Resource, task: Task, lives: readonly Life[]): void {
  const { plan, settled, added } = telling;
  const [pre, preDone, post, postDone] = [preKey, preDoneKey, postKey, postDoneKey].map(
    (key) => stepsNamed(plan, clone, key(clone, task))[0],
  );
  if (pre === undefined || preDone === undefined || post === undefined || postDone === undefined) return;
  if (!isIn(telling, pre)) return;
  // Of a start that nobody can carry out there is nothing to tell; of a stop there is.
  const isIdle = (task === "start" || task === "promote") && entriesOf(telling, lives, task).length === 0;
  const told: Step[] = [];
  for (const life of isIdle ? [] : lives) {
    tell(telling, life, task, "pre", [pre, preDone]);
    const heard = isIn(telling, post) ? tell(telling, life, task, "post", [post, postDone]) : undefined;
    if (heard !== undefined) told.push(heard);
  }
  const fenced = task === "stop" ? lives.flatMap(({ resource }) => tellOfFencing(telling, resource, told)) : [];
  // An instance that gets no place hears nothing: what sees to it that it is nowhere waits for nobody.
  const heeding = lives.filter(({ resource }) => assignedNode(plan.board, resource) !== undefined);
  for (const { resource } of heeding)
    for (const each of plan.byResource[resource.index] ?? [])
      if (each.intervalMs > 0 && each.operation !== "cancel" && settled.required[each.index] === true)
        for (const done of told.some((heard) => heard.resource === resource) ? [postDone, ...fenced] : [postDone])
          link(added, done, each);
}

/** Who is told what. */
export interface Notifications {
  readonly steps: readonly Step[];
  readonly links: readonly Link[];
  /** What all agents of a clone are given to know, by resource index. */
  readonly environments: ReadonlyMap<number, Step["meta"]>;
}

/** After the plan has settled: tells every instance that lives, and tells all agents who does what. */
export function notificationsOf(plan: Plan, settled: Settled, firstIndex: number): Notifications {
  const environments = new Map<number, Step["meta"]>();
  const clones = plan.facts.resources.filter(({ kind, notify }) => kind === "clone" && notify);
  const bundles = plan.facts.resources.filter(({ kind, notify }) => kind === "bundle" && notify);
  if (clones.length + bundles.length === 0) return { steps: [], links: [], environments };
  const added = openAddition(plan, firstIndex);
  const telling: Telling = { plan, settled, added };
  for (const clone of clones) {
    const lives = livesOf(telling, clone);
    for (const task of tasksOf(clone)) tellOf(telling, clone, task, lives);
    const environment = environmentOf(telling, clone, lives);
    for (const { resource } of lives) environments.set(resource.index, environment);
  }
  // What a bundle brings along has nobody to tell, but counts as telling, too.
  for (const { ip, container, remote } of bundles.flatMap(({ replicas }) => replicas))
    for (const part of [ip, container, remote]) if (part !== undefined) tellOfFencing(telling, part, []);
  return { steps: added.steps, links: added.links, environments };
}

interface Entry {
  readonly resource: Resource;
  readonly node: Node | undefined;
}

function lists(name: string, entries: readonly Entry[]): Record<string, string> {
  const join = (words: readonly string[]) => (words.length === 0 ? " " : words.join(" "));
  return {
    [`notify_${name}_resource`]: join(entries.map(({ resource }) => resource.id)),
    [`notify_${name}_uname`]: join(entries.flatMap(({ node }) => (node === undefined ? [] : [node.name]))),
  };
}

function entriesOf(telling: Telling, lives: readonly Life[], task: Task): readonly Entry[] {
  return lives.flatMap(({ resource }) =>
    stepsOf(telling.plan, resource, task)
      .filter((each) => isIn(telling, each))
      .map(({ node }) => ({ resource, node })),
  );
}

/** CRM_meta_notify_*, in both dialects. */
function environmentOf(telling: Telling, clone: Resource, lives: readonly Life[]): Record<string, string> {
  const active = lives.filter(({ now }) => now !== undefined).map(({ resource, now }) => ({ resource, node: now }));
  const inactive = lives.filter(({ now }) => now === undefined).map(({ resource }) => ({ resource, node: undefined }));
  const promoted = active.filter(({ resource }) => resource.role === ROLE.promoted);
  const unpromoted = active.filter(({ resource }) => resource.role !== ROLE.promoted);
  const members = telling.plan.facts.nodes.filter(({ kind }) => kind === "member");
  return {
    ...lists("active", active),
    notify_inactive_resource: lists("inactive", inactive)["notify_inactive_resource"] ?? " ",
    ...lists("start", entriesOf(telling, lives, "start")),
    ...lists("stop", entriesOf(telling, lives, "stop")),
    notify_all_uname: members.map(({ name }) => name).join(" "),
    notify_available_uname: members
      .filter(({ online, unclean }) => online && !unclean)
      .map(({ name }) => name)
      .join(" "),
    ...(clone.promotable
      ? {
          ...lists("promote", entriesOf(telling, lives, "promote")),
          ...lists("demote", entriesOf(telling, lives, "demote")),
          ...lists("promoted", promoted),
          ...lists("master", promoted),
          ...lists("unpromoted", unpromoted),
          ...lists("slave", unpromoted),
        }
      : {}),
  };
}
