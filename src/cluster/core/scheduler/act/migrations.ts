/**
 * Live migration: what moves, is healthy and may migrate is handed over instead of stopped and started.
 * Who may is settled together with what must restart: a resource cannot arrive running where something that it needs is
 * itself only being restarted.
 * Facts: Pacemaker Explained, "Migrating Resources"; crm_simulate as a black box (cases 1-a-then-bm-move-b and on).
 */
import type { Node, Resource } from "../facts/model.ts";

import { ROLE } from "../facts/values.ts";
import { canRun, isManaged } from "../place/board.ts";
import { isMigrating, motionOf } from "./lifecycle.ts";
import { isProbe, type Link, link, type Plan, type Step, step, stepsOf } from "./plan.ts";

export interface Migration {
  readonly resource: Resource;
  readonly source: Node;
  readonly target: Node;
  readonly start: Step;
  readonly stop: Step;
  /** The source has already handed it over. */
  readonly halfway: boolean;
  /** It runs elsewhere, too, or may not start there: it is known from the beginning that it cannot be handed over. */
  readonly vain: boolean;
}

function candidate(plan: Plan, resource: Resource): Migration | undefined {
  if (resource.kind !== "primitive" || !resource.allowMigrate || !isManaged(plan.board, resource) || resource.failed)
    return undefined;
  const { to, role, nextRole } = motionOf(plan.board, resource);
  if (to === undefined || role !== ROLE.started || nextRole !== ROLE.started) return undefined;
  // Half handed over to one node, it cannot be handed over to another one.
  if (isMigrating(resource) && resource.migrationTarget !== to) return undefined;
  const halfway = resource.migrationSource !== undefined && resource.migrationTarget === to;
  const source = halfway ? resource.migrationSource : resource.runningOn[0];
  if (source === undefined || source === to) return undefined;
  if (!source.online || source.unclean || source.pending || !canRun(plan.board, to)) return undefined;
  if (resource.pendingTask === "start") return undefined;
  const start = stepsOf(plan, resource, "start").find(({ node }) => node === to);
  const stop = stepsOf(plan, resource, "stop").find(({ node }) => node === source);
  if (start === undefined || stop === undefined || (start.runnable ? !start.required : !stop.required))
    return undefined;
  const vain = (!halfway && resource.runningOn.length > 1) || !start.runnable;
  return { resource, source, target: to, start, stop, halfway, vain };
}

/** All that would migrate if nothing stood against it; their steps are marked. */
export function markMigrations(plan: Plan): Migration[] {
  const found: Migration[] = [];
  for (const resource of plan.facts.resources) {
    const migration = candidate(plan, resource);
    if (migration === undefined) continue;
    migration.start.migratable = !migration.vain;
    migration.stop.migratable = !migration.vain;
    found.push(migration);
  }
  return found;
}

/** Somebody whom it needs on its new node and who is not handed over himself. */
function hindranceOf(plan: Plan, { start, resource }: Migration): Link | undefined {
  return plan.links.find(
    (each) =>
      each.second === start &&
      (each.firstDragsThen === true || each.needsFirst === true) &&
      (each.first.operation === "start" || each.first.operation === "running") &&
      each.first.resource !== resource &&
      each.first.required &&
      !each.first.migratable &&
      goesDown(plan, each.first.resource),
  );
}

/** What only starts is there in time: it stands in the way when it has to leave where it is. */
function goesDown(plan: Plan, resource: Resource | undefined): boolean {
  return resource === undefined || stepsOf(plan, resource, "stop").some(({ required }) => required);
}

/** Takes the mark from those that something stands against. Returns whether there was one. */
export function dropHindered(plan: Plan, migrations: Migration[]): boolean {
  let isAny = false;
  for (const migration of migrations) {
    const { start, stop } = migration;
    if (!start.migratable) continue;
    const hindrance = start.runnable ? hindranceOf(plan, migration) : undefined;
    if (start.runnable && hindrance === undefined) continue;
    const other = hindrance?.first.resource;
    // A guest that goes where its container goes needs no word.
    if (other !== undefined && other !== migration.resource.container) start.reason = `unmigrateable ${other.id} stop`;
    start.migratable = false;
    stop.migratable = false;
    isAny = true;
  }
  return isAny;
}

interface HandOver {
  readonly to: Step | undefined;
  readonly from: Step;
}

function handOver(plan: Plan, { resource, source, target, halfway }: Migration, runnable: boolean): HandOver {
  const shared = { resource, required: true, runnable, reason: "migration" };
  const to = halfway ? undefined : step(plan, { ...shared, node: source, operation: "migrate_to" });
  const from = step(plan, { ...shared, node: target, operation: "migrate_from" });
  for (const each of to === undefined ? [from] : [to, from]) {
    each.meta["migrate_source"] = source.name;
    each.meta["migrate_target"] = target.name;
  }
  return { to, from };
}

function isOptionalStop({ second, optional }: Link): boolean {
  return second.operation === "stop" && optional === true;
}

function inputsOf(plan: Plan, wanted: Step): readonly Link[] {
  return plan.links.filter(({ second, hidden }) => second === wanted && hidden !== true);
}

/** What would have been handed over and cannot be is told as wanted and blocked; it stops and starts instead. */
function addHindered(plan: Plan, migration: Migration): void {
  const { resource, start, stop } = migration;
  // A guest goes where its container goes; that is no matter of being handed over.
  if (resource.container !== undefined) return;
  const { to, from } = handOver(plan, migration, false);
  for (const { first } of inputsOf(plan, start))
    if (first.resource !== resource && first.resource !== resource.parent) link(plan, first, to ?? from);
  if (to !== undefined) link(plan, to, from);
  link(plan, from, stop);
  link(plan, from, start);
}

/** Turns the marked ones into migrations, once it is settled who they are. */
export function addMigrations(plan: Plan, migrations: readonly Migration[]): void {
  const isValid = ({ start }: Migration) => start.migratable && start.required && start.runnable;
  const valid = migrations.filter(isValid);
  const steps = new Map(valid.map((each) => [each.resource, handOver(plan, each, true)]));
  for (const each of migrations) if (!isValid(each)) addHindered(plan, each);
  for (const { resource, start, stop } of valid) {
    const hand = steps.get(resource);
    if (hand === undefined) continue;
    const { to, from } = hand;
    start.kind = "pseudo";
    start.implied = true;
    const begin = to ?? from;
    for (const { first } of inputsOf(plan, start)) {
      // A fencing elsewhere does not hold up what needs no fencing and is handed over from where it is seen to run.
      if (first.kind === "fence" && start.needs !== "fencing") continue;
      if (first.resource === resource && first.operation === "stop") continue;
      // Who is there already needs no more room.
      if (first.resource === undefined && to === undefined) continue;
      const other = first.resource === undefined ? undefined : steps.get(first.resource);
      if (first.resource?.kind === "group" && first.operation === "start" && resource.parent === first.resource)
        continue;
      link(plan, other !== undefined && first.operation === "start" ? other.from : first, begin);
    }
    for (const { first } of inputsOf(plan, stop)) {
      if (first.resource?.kind !== "primitive" || first.resource === resource) continue;
      // Nor is it handed over before those have been looked for that it would not have been stopped before.
      if (isProbe(first) || (first.operation === "stop" && !steps.has(first.resource))) link(plan, first, begin);
    }
    // Who would only rather stop later does not wait for the remains of what was handed over, nor do cancels.
    for (const [index, each] of plan.links.entries())
      if (each.first === stop && (each.second.operation === "cancel" || isOptionalStop(each)))
        plan.links[index] = { ...each, hidden: true };
    if (to !== undefined) link(plan, to, from, { needsFirst: true });
    link(plan, from, stop);
    link(plan, from, start);
  }
}
