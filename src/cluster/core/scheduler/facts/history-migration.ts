/**
 * Recorded live migrations: a pair of operations on two nodes, any of which may be missing, pending or failed.
 * A resource that may be on both nodes is taken to be on both.
 * Fact: Pacemaker Explained, "Migrating Resources" (migrate_to on the source, then migrate_from on the target, stop).
 */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import type { Facts, HistoryEntry, Node, Resource } from "./model.ts";
import { ROLE } from "./values.ts";

function recordsOf(facts: Facts, resource: Resource, node: Node): readonly XmlElement[] {
  const states = childrenOf(facts.status, "node_state");
  const state = states.find(({ attributes }) => attributes["uname"] === node.name || attributes["id"] === node.id);
  const list = childOf(childOf(state, "lrm"), "lrm_resources");
  const record = childrenOf(list, "lrm_resource").find(({ attributes }) => attributes["id"] === resource.baseId);
  return childrenOf(record, "lrm_rsc_op");
}

const callIdOf = (op: XmlElement | undefined) => Number.parseInt(op?.attributes["call-id"] ?? "-1", 10);
const succeeded = (op: XmlElement) => op.attributes["rc-code"] === "0" && op.attributes["op-status"] === "0";

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

/** Whether anything but a monitor says later what became of it on that node. */
function hasNewerState(ops: readonly XmlElement[], than: XmlElement | undefined, same: boolean): boolean {
  const since = same ? callIdOf(than) : -1;
  const sinceTime = Number(than?.attributes["last-rc-change"] ?? 0);
  return ops.some((op) => {
    const { operation, interval } = op.attributes;
    if (op === than || !["start", "stop", "monitor"].includes(operation ?? "")) return false;
    if (operation === "monitor" && interval !== "0" && interval !== undefined && !succeeded(op)) return false;
    if (op.attributes["op-status"] === "-1") return false;
    if (same) return callIdOf(op) > since;
    const time = Number(op.attributes["last-rc-change"] ?? 0);
    return time > sinceTime && sinceTime > 0;
  });
}

function addRunning(resource: Resource, node: Node): void {
  if (!resource.runningOn.includes(node)) resource.runningOn.push(node);
}

function afterMigrateTo(facts: Facts, resource: Resource, source: Node, entry: HistoryEntry): void {
  const targetName = entry.element.attributes["migrate_target"];
  const target = targetName === undefined ? undefined : facts.nodeByName.get(targetName);
  resource.role = ROLE.started;
  if (target === undefined) return;
  const there = recordsOf(facts, resource, target);
  const here = recordsOf(facts, resource, source);
  const from = find(there, "migrate_from", source.name, target.name);
  if (hasNewerState(here, entry.element, true)) return;
  if (from === undefined && hasNewerState(there, entry.element, false)) {
    const stop = find(there, "stop", undefined, undefined, true);
    if (stop === undefined || target.online) return;
  }
  if (from !== undefined && from.attributes["op-status"] !== "-1") {
    if (succeeded(from)) {
      // Arrived, but the remains on the source were never stopped.
      if (!resource.dangling.includes(source)) resource.dangling.push(source);
      return;
    }
    if (target.online) addRunning(resource, target);
    return;
  }
  // Under way: decided later whether it can be brought to its end.
  if (target.online && source.online) {
    resource.migrationSource = source;
    resource.migrationTarget = target;
  }
  if (target.online) addRunning(resource, target);
}

function afterFailedMigrateTo(facts: Facts, resource: Resource, source: Node, entry: HistoryEntry): void {
  resource.role = ROLE.started;
  const targetName = entry.element.attributes["migrate_target"];
  const target = targetName === undefined ? undefined : facts.nodeByName.get(targetName);
  if (target === undefined || !target.online) return;
  const there = recordsOf(facts, resource, target);
  const stop = find(there, "stop", undefined, undefined, true);
  const from = find(there, "migrate_from", source.name, target.name);
  const probe = find(there, "monitor");
  const stoppedSince = stop !== undefined && callIdOf(stop) > callIdOf(from);
  const foundStopped = probe?.attributes["rc-code"] === "7" && hasNewerState(there, entry.element, false);
  if (!stoppedSince && !foundStopped) addRunning(resource, target);
}

function afterFailedMigrateFrom(facts: Facts, resource: Resource, target: Node, entry: HistoryEntry): void {
  resource.role = ROLE.started;
  const sourceName = entry.element.attributes["migrate_source"];
  const source = sourceName === undefined ? undefined : facts.nodeByName.get(sourceName);
  if (source === undefined || !source.online) return;
  const there = recordsOf(facts, resource, source);
  const stop = find(there, "stop", undefined, undefined, true);
  const to = find(there, "migrate_to", source.name, target.name, true);
  if (stop === undefined || callIdOf(stop) < callIdOf(to)) addRunning(resource, source);
}

/** Applies a migrate_to or migrate_from that succeeded, failed or is pending. */
export function applyMigration(
  facts: Facts,
  resource: Resource,
  node: Node,
  entry: HistoryEntry,
  result: "done" | "failed" | "pending",
): void {
  if (entry.task === "migrate_from") {
    afterFailedMigrateFrom(facts, resource, node, entry);
    return;
  }
  if (result === "failed") afterFailedMigrateTo(facts, resource, node, entry);
  else afterMigrateTo(facts, resource, node, entry);
}
