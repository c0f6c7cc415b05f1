/**
 * Recorded live migrations: a pair of operations on two nodes, any of which may be missing, pending or failed.
 * A resource that may be on both nodes is taken to be on both.
 * Fact: Pacemaker Explained, "Migrating Resources" (migrate_to on the source, then migrate_from on the target, stop).
 */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import type { NodeDraft, Reading, ResourceDraft } from "./draft.ts";
import type { HistoryEntry } from "./model.ts";
import { addRunning } from "./running.ts";
import { ROLE } from "./values.ts";

function recordsOf(facts: Reading, resource: ResourceDraft, node: NodeDraft): readonly XmlElement[] {
  const states = childrenOf(facts.status, "node_state");
  const state = states.find(({ attributes }) => attributes["uname"] === node.name || attributes["id"] === node.id);
  const list = childOf(childOf(state, "lrm"), "lrm_resources");
  const record = childrenOf(list, "lrm_resource").find(({ attributes }) => attributes["id"] === resource.baseId);
  return childrenOf(record, "lrm_rsc_op");
}

const callIdOf = (op: XmlElement | undefined) => Number.parseInt(op?.attributes["call-id"] ?? "-1", 10);
const succeeded = (op: XmlElement) => op.attributes["rc-code"] === "0" && op.attributes["op-status"] === "0";

const isPending = (op: XmlElement) => op.attributes["op-status"] === "-1";

/** The last operation of that name; of migrations only those between the two nodes. */
function find(
  ops: readonly XmlElement[],
  task: string,
  source?: string,
  target?: string,
  needsSuccess = false,
): XmlElement | undefined {
  let found: XmlElement | undefined;
  for (const op of ops) {
    const { operation, migrate_source: from, migrate_target: to } = op.attributes;
    if (operation !== task || (needsSuccess && !succeeded(op))) continue;
    if (source !== undefined && from !== undefined && from !== source) continue;
    if (target !== undefined && to !== undefined && to !== target) continue;
    if (found === undefined || callIdOf(op) > callIdOf(found)) found = op;
  }
  return found;
}

/**
 * Whether the target tells, since the migration or what it did in it, that the resource has been started or stopped, or
 * looked for in vain: then what the source believes of the target is no news any more.
 */
function hasMovedOn(there: readonly XmlElement[], to: XmlElement, from: XmlElement | undefined): boolean {
  const sinceTime = Number(to.attributes["last-rc-change"] ?? 0);
  return there.some((op) => {
    const { operation, "rc-code": code } = op.attributes;
    const tells = operation === "start" || operation === "stop" || (operation === "monitor" && code === "7");
    if (!tells || isPending(op)) return false;
    if (from !== undefined && !isPending(from)) return callIdOf(op) > callIdOf(from);
    return sinceTime > 0 && Number(op.attributes["last-rc-change"] ?? 0) > sinceTime;
  });
}

/** Whether the node has one of these operations recorded later, which ends what was under way. */
function hasSince(ops: readonly XmlElement[], than: XmlElement, tasks: readonly string[]): boolean {
  return ops.some(
    (op) => tasks.includes(op.attributes["operation"] ?? "") && !isPending(op) && callIdOf(op) > callIdOf(than),
  );
}

/** The target of the migration, and what it has recorded of the resource. */
function targetOf(facts: Reading, resource: ResourceDraft, source: NodeDraft, { element }: HistoryEntry) {
  const name = element.attributes["migrate_target"];
  const target = name === undefined ? undefined : facts.nodeByName.get(name);
  if (target === undefined) return undefined;
  const there = recordsOf(facts, resource, target);
  return { target, there, from: find(there, "migrate_from", source.name, target.name) };
}

/** Returns whether it is known that the resource has not arrived. */
function afterMigrateTo(facts: Reading, resource: ResourceDraft, source: NodeDraft, entry: HistoryEntry): boolean {
  const found = targetOf(facts, resource, source, entry);
  resource.role = ROLE.started;
  if (found === undefined) return false;
  const { target, there, from } = found;
  const here = recordsOf(facts, resource, source);
  if (from !== undefined && succeeded(from)) {
    // Arrived, but the remains on the source were never stopped.
    const isLeft = !hasSince(here, entry.element, ["start", "stop", "monitor"]);
    if (isLeft && !resource.dangling.includes(source)) resource.dangling.push(source);
    return false;
  }
  if (!target.online || hasMovedOn(there, entry.element, from)) return true;
  // A target that knows nothing of the resource, or not yet, will be asked.
  if (there.every(isPending)) return false;
  if (from !== undefined && hasSince(here, entry.element, ["start"])) return false;
  const isUnderWay = from === undefined || isPending(from);
  // Under way: decided later whether it can be brought to its end.
  if (isUnderWay && source.online) {
    resource.migrationSource = source;
    resource.migrationTarget = target;
  }
  addRunning(resource, target);
  return false;
}

/** While the source is there to say how it ends, what is under way is on the source. */
function afterPendingMigrateTo(facts: Reading, resource: ResourceDraft, source: NodeDraft, entry: HistoryEntry): void {
  const found = targetOf(facts, resource, source, entry);
  if (found === undefined || source.online || !found.target.online) return;
  addRunning(resource, source);
  addRunning(resource, found.target);
  facts.halfArrived.push({ resource, node: found.target });
}

function afterFailedMigrateTo(facts: Reading, resource: ResourceDraft, source: NodeDraft, entry: HistoryEntry): void {
  resource.role = ROLE.started;
  const found = targetOf(facts, resource, source, entry);
  if (found === undefined || !found.target.online || found.there.length === 0) return;
  const { target, there, from } = found;
  // What the target began, and did not bring to a good end, it tells of itself.
  if (from !== undefined && !succeeded(from)) return;
  if (!hasMovedOn(there, entry.element, from)) addRunning(resource, target);
}

function afterFailedMigrateFrom(facts: Reading, resource: ResourceDraft, target: NodeDraft, entry: HistoryEntry): void {
  resource.role = ROLE.started;
  const sourceName = entry.element.attributes["migrate_source"];
  const source = sourceName === undefined ? undefined : facts.nodeByName.get(sourceName);
  if (source === undefined || !source.online) return;
  const there = recordsOf(facts, resource, source);
  const stop = find(there, "stop", undefined, undefined, true);
  const to = find(there, "migrate_to", source.name, target.name, true);
  if (stop === undefined || callIdOf(stop) < callIdOf(to)) addRunning(resource, source);
}

/**
 * Applies a migrate_to or migrate_from that succeeded, failed or is pending. Returns whether a migrate_to that is
 * recorded as done is known to have come to nothing.
 */
export function applyMigration(
  facts: Reading,
  resource: ResourceDraft,
  node: NodeDraft,
  entry: HistoryEntry,
  result: "done" | "failed" | "pending",
): boolean {
  if (entry.task === "migrate_from") afterFailedMigrateFrom(facts, resource, node, entry);
  else if (result === "failed") afterFailedMigrateTo(facts, resource, node, entry);
  else if (result === "pending") afterPendingMigrateTo(facts, resource, node, entry);
  else return afterMigrateTo(facts, resource, node, entry);
  return false;
}
