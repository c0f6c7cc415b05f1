/**
 * Notifications of clones: before and after each task every active instance is told, and the task waits for them.
 * The time line within one transition is demote, stop, start, promote: an instance hears what happens while it lives.
 * Facts: Pacemaker Explained, "Clone Resource Agent Requirements" (notifications: pre, post, CRM_meta_notify_*).
 */
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignedNode, isManaged, isUnclean, isUp } from "../place/board.ts";
import { link, type Plan, type Step, step, stepsNamed, stepsOf } from "./plan.ts";

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

function frameStep(plan: Plan, resource: Resource, operation: string, key: string): Step {
  return step(plan, { resource, operation, key, kind: "pseudo" });
}

/** The pseudo steps around one task of a clone that notifies. */
export function addNotifyFrame(plan: Plan, clone: Resource, name: string): void {
  const task = TASKS.find((each) => each === name);
  if (!clone.notify || task === undefined) return;
  const begin = stepsOf(plan, clone, task)[0];
  const end = stepsOf(plan, clone, DONE[task])[0];
  if (begin === undefined || end === undefined) return;
  const pre = frameStep(plan, clone, "notify", preKey(clone, task));
  const preDone = frameStep(plan, clone, "notified", preDoneKey(clone, task));
  const post = frameStep(plan, clone, "notify", postKey(clone, task));
  const postDone = frameStep(plan, clone, "notified", postDoneKey(clone, task));
  post.priority = PRIORITY_AFTER;
  postDone.priority = PRIORITY_AFTER;
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
    plan.collectives.push({ step: each, members: [end], mode: isBefore ? "free" : "all" });
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
export function linkNotifications(plan: Plan, clone: Resource): void {
  for (const [first, second] of AFTER) {
    const [one] = stepsNamed(plan, clone, postDoneKey(clone, first));
    const [other] = stepsNamed(plan, clone, preKey(clone, second));
    if (one !== undefined && other !== undefined) link(plan, one, other);
  }
}

interface Life {
  readonly resource: Resource;
  readonly now: Node | undefined;
  readonly next: Node | undefined;
  readonly stops: boolean;
  readonly starts: boolean;
}

function livesOf(plan: Plan, clone: Resource): Life[] {
  return clone.children.flatMap(primitivesOf).map((resource) => {
    const stop = stepsOf(plan, resource, "stop").find(({ required }) => required);
    const start = stepsOf(plan, resource, "start").find(({ required, runnable }) => required && runnable);
    const now = resource.role > ROLE.stopped ? resource.runningOn[0] : undefined;
    return { resource, now, next: start?.node, stops: stop !== undefined, starts: start !== undefined };
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
  plan: Plan,
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
  const key = `${resource.id}_${when}_notify_${task}_0`;
  const told = step(plan, { resource, node, operation: "notify", key, required: true, reason: "notify" });
  told.runnable = !node.pending;
  told.meta["notify_type"] = when;
  told.meta["notify_operation"] = task;
  told.meta["notify_key_type"] = when;
  told.meta["notify_key_operation"] = task;
  if (when === "post") told.priority = PRIORITY_AFTER;
  link(plan, frame[0], told);
  link(plan, told, frame[1]);
  return told;
}

/** That an instance went down with its node is news of its own: those that live hear of it after the fencing. */
function tellOfFencing(plan: Plan, { resource }: Life, told: readonly Step[]): void {
  const stop = stepsOf(plan, resource, "stop").find(({ required, implied }) => required && implied);
  const fence = plan.steps.find(({ operation, node }) => operation === "stonith" && node === stop?.node);
  if (stop === undefined || fence === undefined) return;
  const shared = { resource, kind: "pseudo", required: true, reason: "notify" } as const;
  const post = step(plan, { ...shared, operation: "notify", key: `${resource.id}_post_notify_stop_0` });
  const done = step(plan, { ...shared, operation: "notified", key: `${resource.id}_notified_0` });
  post.priority = PRIORITY_AFTER;
  done.priority = PRIORITY_AFTER;
  link(plan, fence, post);
  link(plan, post, done);
  for (const each of told) {
    link(plan, post, each);
    link(plan, each, done);
  }
}

const isIn = (each: Step | undefined) => each?.required === true && each.runnable;

/** After the plan has settled: tells every instance that lives, and tells all agents who does what. */
export function addNotifications(plan: Plan): void {
  for (const clone of plan.facts.resources) {
    if (clone.kind !== "clone" || !clone.notify) continue;
    const lives = livesOf(plan, clone);
    const environment = environmentOf(plan, clone, lives);
    for (const task of tasksOf(clone)) {
      const frame = [preKey, preDoneKey, postKey, postDoneKey].map(
        (key) => stepsNamed(plan, clone, key(clone, task))[0],
      );
      const [pre, preDone, post, postDone] = frame;
      if (!isIn(pre) || pre === undefined || preDone === undefined || post === undefined || postDone === undefined)
        continue;
      // Of a start that nobody can carry out there is nothing to tell; of a stop there is.
      const isIdle = (task === "start" || task === "promote") && wanted(plan, lives, task).length === 0;
      const told: Step[] = [];
      for (const life of isIdle ? [] : lives) {
        tell(plan, life, task, "pre", [pre, preDone]);
        const heard = isIn(post) ? tell(plan, life, task, "post", [post, postDone]) : undefined;
        if (heard !== undefined) told.push(heard);
      }
      if (task === "stop") for (const life of lives) tellOfFencing(plan, life, told);
      // An instance that gets no place hears nothing: what sees to it that it is nowhere waits for nobody.
      const heeding = lives.filter(({ resource }) => assignedNode(plan.board, resource) !== undefined);
      for (const { resource } of heeding)
        for (const each of plan.byResource[resource.index] ?? [])
          if (each.intervalMs > 0 && each.operation !== "cancel" && each.required) link(plan, postDone, each);
    }
    for (const { resource } of lives)
      for (const each of plan.byResource[resource.index] ?? []) Object.assign(each.meta, environment, { ...each.meta });
  }
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

function wanted(plan: Plan, lives: readonly Life[], task: Task): readonly Entry[] {
  return lives.flatMap(({ resource }) =>
    stepsOf(plan, resource, task)
      .filter(({ required, runnable }) => required && runnable)
      .map(({ node }) => ({ resource, node })),
  );
}

/** CRM_meta_notify_*, in both dialects. */
function environmentOf(plan: Plan, clone: Resource, lives: readonly Life[]): Record<string, string> {
  const active = lives.filter(({ now }) => now !== undefined).map(({ resource, now }) => ({ resource, node: now }));
  const inactive = lives.filter(({ now }) => now === undefined).map(({ resource }) => ({ resource, node: undefined }));
  const promoted = active.filter(({ resource }) => resource.role === ROLE.promoted);
  const unpromoted = active.filter(({ resource }) => resource.role !== ROLE.promoted);
  const members = plan.facts.nodes.filter(({ kind }) => kind === "member");
  return {
    ...lists("active", active),
    notify_inactive_resource: lists("inactive", inactive)["notify_inactive_resource"] ?? " ",
    ...lists("start", wanted(plan, lives, "start")),
    ...lists("stop", wanted(plan, lives, "stop")),
    notify_all_uname: members.map(({ name }) => name).join(" "),
    notify_available_uname: members
      .filter(({ online, unclean }) => online && !unclean)
      .map(({ name }) => name)
      .join(" "),
    ...(clone.promotable
      ? {
          ...lists("promote", wanted(plan, lives, "promote")),
          ...lists("demote", wanted(plan, lives, "demote")),
          ...lists("promoted", promoted),
          ...lists("master", promoted),
          ...lists("unpromoted", unpromoted),
          ...lists("slave", unpromoted),
        }
      : {}),
  };
}
