/**
 * Live migration: what moves, is healthy and may migrate is handed over instead of stopped and started.
 * Who may is settled together with what must restart: a resource cannot arrive running where something that it needs is
 * itself only being restarted.
 * Facts: Pacemaker Explained, "Migrating Resources"; crm_simulate as a black box (cases 1-a-then-bm-move-b and on).
 */
import { isWithin, type Node, type Resource, topOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { canRun, isManaged } from "../place/board.ts";
import { link, openAddition, type PlanDraft, step } from "./draft.ts";
import { isMigrating, motionOf } from "./lifecycle.ts";
import { isProbe, type Link, type Plan, type Step, stepsOf } from "./plan.ts";
import { type Settled, settle } from "./settle.ts";

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

function candidate(plan: Plan, atFirst: Settled, resource: Resource): Migration | undefined {
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
  if (start === undefined || stop === undefined) return undefined;
  const canStart = atFirst.runnable[start.index] === true;
  if (!(canStart ? start.wanted : stop.wanted)) return undefined;
  const vain = (!halfway && resource.runningOn.length > 1) || !canStart;
  return { resource, source, target: to, start, stop, halfway, vain };
}

/** All that would migrate if nothing stood against it. */
export function migrationsOf(plan: Plan, atFirst: Settled): readonly Migration[] {
  return plan.facts.resources.flatMap((resource) => candidate(plan, atFirst, resource) ?? []);
}

/** The starts and stops of those that may be handed over, for all that is known so far. */
export function handedIn(migrations: readonly Migration[]): ReadonlySet<Step> {
  return new Set(migrations.flatMap(({ start, stop, vain }) => (vain ? [] : [start, stop])));
}

/** Somebody whom it needs on its new node and who is not handed over himself. */
function hindranceOf(
  plan: Plan,
  settled: Settled,
  handed: ReadonlySet<Step>,
  { start, resource }: Migration,
): Link | undefined {
  return plan.links.find(
    (each) =>
      each.second === start &&
      // Behind a way up only, it waits for the other to be there again and is handed over then.
      each.asymmetric !== true &&
      (each.firstDragsThen === true || each.needsFirst === true) &&
      (each.first.operation === "start" || each.first.operation === "running") &&
      !isOwn(resource, each.first) &&
      settled.required[each.first.index] === true &&
      !handed.has(each.first) &&
      goesDown(plan, settled, each.first.resource),
  );
}

/** Where it waits for some of a clone only (clone-min), the clone that leaves one place and begins at another. */
function movedBehindGate(plan: Plan, settled: Settled, { start }: Migration): Resource | undefined {
  const gates = plan.links.filter(({ first, second }) => second === start && first.resource === undefined);
  for (const { first: gate } of gates) {
    if (settled.required[gate.index] !== true) continue;
    const firsts = plan.links.filter((each) => each.gate === true && each.second === gate);
    const wholes = firsts.flatMap(({ first: { resource } }) => (resource === undefined ? [] : topOf(resource)));
    const moved = wholes.find((whole) => goesDown(plan, settled, whole));
    if (moved !== undefined) return moved;
  }
  return undefined;
}

/** A step of its own, or of the clone it is an instance of, which comes along. */
const isOwn = (resource: Resource, { resource: other }: Step) => other !== undefined && isWithin(resource, other);

/** What only starts is there in time: it stands in the way when it has to leave where it is. */
function goesDown(plan: Plan, { required }: Settled, resource: Resource | undefined): boolean {
  return resource === undefined || stepsOf(plan, resource, "stop").some(({ index }) => required[index] === true);
}

/** Those that nothing that is settled stands against, and what is told of the others. */
interface Unhindered {
  readonly handed: ReadonlySet<Step>;
  readonly settled: Settled;
}

function unhindered(plan: Plan, settled: Settled, before: ReadonlySet<Step>, migrations: readonly Migration[]) {
  const handed = new Set(before);
  const reason = [...settled.reason];
  for (const migration of migrations) {
    const { start, stop } = migration;
    if (!handed.has(start)) continue;
    const canStart = settled.runnable[start.index] === true;
    const hindrance = canStart ? hindranceOf(plan, settled, handed, migration) : undefined;
    const moved = canStart ? movedBehindGate(plan, settled, migration) : undefined;
    if (canStart && hindrance === undefined && moved === undefined) continue;
    const other = hindrance?.first.resource ?? moved;
    // A guest that goes where its container goes needs no word.
    if (other !== undefined && other !== migration.resource.container)
      reason[start.index] = `unmigrateable ${other.id} stop`;
    handed.delete(start);
    handed.delete(stop);
  }
  return { handed, settled: { ...settled, reason } };
}

/**
 * Settles the plan together with who is handed over: what something stands against stops and starts, which may stand
 * against others. Each round one at least is taken out, so it ends.
 */
export function settleWithMigrations(plan: Plan, atFirst: Settled, migrations: readonly Migration[]): Unhindered {
  let handed = handedIn(migrations);
  let settled = settle(plan, atFirst, handed);
  for (;;) {
    const left = unhindered(plan, settled, handed, migrations);
    if (left.handed.size === handed.size) return { handed, settled };
    handed = left.handed;
    settled = settle(plan, left.settled, handed);
  }
}

interface HandOver {
  readonly to: Step | undefined;
  readonly from: Step;
}

function handOver(added: PlanDraft, { resource, source, target, halfway }: Migration, possible: boolean): HandOver {
  const meta = { migrate_source: source.name, migrate_target: target.name };
  const shared = { resource, wanted: true, possible, reason: "migration", meta };
  const to = halfway ? undefined : step(added, { ...shared, node: source, operation: "migrate_to" });
  return { to, from: step(added, { ...shared, node: target, operation: "migrate_from" }) };
}

function isOptionalStop({ second, optional }: Link): boolean {
  return second.operation === "stop" && optional === true;
}

/** How those that are handed over go. */
export interface Ways {
  /** Starts that the handing over makes true. */
  readonly implied: ReadonlySet<Step>;
  readonly steps: readonly Step[];
  readonly links: readonly Link[];
  /** Links of the plan that count no more. */
  readonly void: ReadonlySet<Link>;
}

/** The ways while they are laid out. */
interface Laying {
  readonly plan: Plan;
  readonly added: PlanDraft;
  readonly void: Set<Link>;
}

function inputsOf({ plan, added, void: voided }: Laying, wanted: Step): readonly Link[] {
  const isInput = (each: Link) => each.second === wanted && each.hidden !== true && !voided.has(each);
  return [...plan.links.filter(isInput), ...added.links.filter(isInput)];
}

/** What would have been handed over and cannot be is told as wanted and blocked; it stops and starts instead. */
function layHindered(laying: Laying, migration: Migration): void {
  const { added } = laying;
  const { resource, start, stop } = migration;
  // A guest goes where its container goes; that is no matter of being handed over.
  if (resource.container !== undefined) return;
  const { to, from } = handOver(added, migration, false);
  for (const { first } of inputsOf(laying, start))
    if (first.resource !== resource && first.resource !== resource.parent) link(added, first, to ?? from);
  if (to !== undefined) link(added, to, from);
  link(added, from, stop);
  link(added, from, start);
}

const isAwaitedBy = ({ stopWaits }: Plan, other: Resource, stop: Step) =>
  stopWaits.some(({ resource, second }) => second === stop && isWithin(other, resource));

/** What its start would wait for, and of what its stop would some, the handing over waits for. */
function layOut(laying: Laying, { resource, start, stop }: Migration, hands: ReadonlyMap<Resource, HandOver>): void {
  const { plan, added } = laying;
  const hand = hands.get(resource);
  if (hand === undefined) return;
  const { to, from } = hand;
  const begin = to ?? from;
  for (const { first } of inputsOf(laying, start)) {
    // A fencing elsewhere does not hold up what needs no fencing and is handed over from where it is seen to run.
    if (first.kind === "fence" && start.needs !== "fencing") continue;
    if (first.resource === resource && first.operation === "stop") continue;
    // Who is there already needs no more room.
    if (first.resource === undefined && to === undefined) continue;
    const other = first.resource === undefined ? undefined : hands.get(first.resource);
    // Its group or clone begins when all that stops has stopped: who waited for that, and not only for the looks for
    // himself, would wait for himself.
    if (first.operation === "start" && isOwn(resource, first)) {
      for (const { first: probe } of inputsOf(laying, first))
        if (isProbe(probe) && probe.resource === resource) link(added, probe, begin);
      continue;
    }
    link(added, other !== undefined && first.operation === "start" ? other.from : first, begin);
  }
  for (const { first } of inputsOf(laying, stop)) {
    if (first.resource?.kind !== "primitive" || first.resource === resource) continue;
    // Nor is it handed over before those have been looked for that it would not have been stopped before; who would
    // have made it restart is another matter, for who is handed over does not restart.
    const isAwaited = isProbe(first) && isAwaitedBy(plan, first.resource, stop);
    if (isAwaited || (first.operation === "stop" && !hands.has(first.resource))) link(added, first, begin);
  }
  // Who would only rather stop later does not wait for the remains of what was handed over, nor do cancels.
  for (const each of [...plan.links, ...added.links])
    if (each.first === stop && (each.second.operation === "cancel" || isOptionalStop(each))) laying.void.add(each);
  if (to !== undefined) link(added, to, from, { needsFirst: true });
  link(added, from, stop);
  link(added, from, start);
}

/** Turns into migrations those that are settled to be handed over. */
export function waysOf(plan: Plan, { handed, settled }: Unhindered, migrations: readonly Migration[]): Ways {
  const added = openAddition(plan, plan.steps.length);
  const isDone = ({ index }: Step) => settled.required[index] === true && settled.runnable[index] === true;
  const isValid = ({ start }: Migration) => handed.has(start) && isDone(start);
  const valid = migrations.filter(isValid);
  const hands = new Map(valid.map((each) => [each.resource, handOver(added, each, true)]));
  const laying: Laying = { plan, added, void: new Set() };
  for (const each of migrations) if (!isValid(each)) layHindered(laying, each);
  for (const each of valid) layOut(laying, each, hands);
  const implied = new Set(valid.map(({ start }) => start));
  return { implied, steps: added.steps, links: added.links, void: laying.void };
}
