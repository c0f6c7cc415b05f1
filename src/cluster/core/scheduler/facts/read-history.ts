/**
 * From recorded operations to the state of resources: where active, in which role, failed, to be fenced.
 * One node's record at a time; each operation in the order in which it happened.
 * Facts: Pacemaker Explained, "Operation History"; OCF return codes.
 */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import type { NodeDraft, Reading, ResourceDraft } from "./draft.ts";
import { findInstance } from "./find-instance.ts";
import { applyOutcome, type Outcome } from "./history-outcome.ts";
import type { History, HistoryEntry, Resource } from "./model.ts";
import { ON_FAIL, type OnFail } from "./on-fail.ts";
import { wantFencing } from "./read-nodes.ts";
import { adoptRemoved } from "./read-remotes.ts";
import { addResource } from "./read-resources.ts";
import { addRunning } from "./running.ts";
import { parseRole, ROLE, type Role } from "./values.ts";

/** By call id; pending operations (-1) come last, equal ones by time and then by the number of their transition. */
function happenedBefore(a: HistoryEntry, b: HistoryEntry): number {
  if (a.element.attributes["id"] === b.element.attributes["id"]) return 0;
  if (a.callId >= 0 && b.callId >= 0 && a.callId !== b.callId) return a.callId - b.callId;
  const time = (entry: HistoryEntry) => Number(entry.element.attributes["last-rc-change"] ?? -1);
  if (a.callId >= 0 && b.callId >= 0) return time(a) >= 0 && time(b) >= 0 ? time(a) - time(b) : 0;
  const transition = (entry: HistoryEntry) => {
    const key = entry.element.attributes["transition-key"] ?? "";
    const [action = "0", run = "0", , uuid = ""] = key.split(":");
    return { action: Number(action), run: Number(run), uuid };
  };
  const [first, second] = [transition(a), transition(b)];
  // Of two without a call the transition tells, too: where such were equal, the order of the rest was left to luck.
  if (a.callId === -1 && b.callId === -1) return first.uuid === second.uuid ? first.run - second.run : 0;
  if (first.uuid === second.uuid && first.run === second.run) return a.callId === -1 ? 1 : -1;
  if (first.uuid !== second.uuid) {
    if (time(a) >= 0 && time(b) >= 0 && time(a) !== time(b)) return time(a) - time(b);
    return a.callId === -1 ? 1 : -1;
  }
  return first.run - second.run;
}

export function readEntries(element: XmlElement): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const op of element.children) {
    if (op.name !== "lrm_rsc_op") continue;
    const { operation = "", interval = "0", id = "", operation_key: key, "call-id": callId = "-1" } = op.attributes;
    entries.push({
      element: op,
      task: operation,
      intervalMs: Number.parseInt(interval, 10) || 0,
      callId: Number.parseInt(callId, 10),
      key: key ?? id,
    });
  }
  return entries.length > 1 ? entries.sort(happenedBefore) : entries;
}

/** Where in the record the resource was last started and stopped. */
function activeSpan(entries: readonly HistoryEntry[]): { startAt: number; stopAt: number } {
  let startAt = -1;
  let stopAt = -1;
  let byClone = -1;
  let byMonitor = -1;
  entries.forEach(({ task, element }, index) => {
    const code = element.attributes["rc-code"];
    if (task === "stop" && element.attributes["op-status"] === "0") stopAt = index;
    else if (task === "start" || task === "migrate_from") startAt = index;
    else if (byMonitor <= stopAt && task === "monitor") {
      if (code === "0" || code === "8") byMonitor = index;
    } else if (task === "promote" || task === "demote") byClone = index;
  });
  if (startAt === -1) startAt = byClone === -1 ? byMonitor : byClone;
  return { startAt, stopAt };
}

/** A resource that is recorded but no longer configured. */
function addRemoved(facts: Reading, element: XmlElement): ResourceDraft {
  const { id = "", class: agentClass = "", provider, type = "", container } = element.attributes;
  const attributes = { id, class: agentClass, ...(provider === undefined ? {} : { provider }), type };
  const primitive: XmlElement = { name: "primitive", attributes, children: [] };
  const resource = addResource(facts, primitive, "primitive", { removed: true });
  facts.top.push(resource);
  if (!facts.options.stopRemoved) resource.managed = false;
  adoptRemoved(facts, resource, container);
  return resource;
}

function fenceForUncleanNode(facts: Reading, resource: ResourceDraft, node: NodeDraft): void {
  if (node.maintenance) return;
  if (node.kind === "guest" && node.remote?.container !== undefined && !node.online) {
    node.remote.container.failed = true;
    resource.failed = true;
    return;
  }
  if (node.kind === "member" && !node.unclean && !node.online && facts.options.fencingEnabled)
    wantFencing(facts, node, `${resource.id} is thought to be active there`);
  if (node.kind === "remote" && !node.unclean && !node.online && facts.options.fencingEnabled && resource.managed) {
    // Where the connection itself has not failed, it may yet be made from elsewhere.
    const revoked = "fencing will be revoked if remote connection can be re-established elsewhere";
    const isOut = node.remote?.failed !== false;
    wantFencing(facts, node, `${resource.id} is ${isOut ? "thought to be active there" : `active there (${revoked})`}`);
  }
}

function answerFailure(facts: Reading, resource: ResourceDraft, node: NodeDraft, onFail: OnFail): void {
  switch (onFail) {
    case ON_FAIL.ignore:
      return;
    case ON_FAIL.demote:
      resource.failed = true;
      resource.demoteWanted = true;
      return;
    case ON_FAIL.fence:
      wantFencing(facts, node, `${resource.id} failed there`);
      return;
    case ON_FAIL.standby:
      node.standby = true;
      node.standbyOnFail = true;
      return;
    case ON_FAIL.block:
      resource.managed = false;
      resource.blocked = true;
      return;
    case ON_FAIL.ban:
      facts.bans.push({ resource, node, why: "on-fail=migrate" });
      return;
    case ON_FAIL.stop:
      resource.nextRole = ROLE.stopped;
      resource.stopWanted = true;
      return;
    case ON_FAIL.recover:
      if (resource.role === ROLE.stopped || resource.role === ROLE.unknown) return;
      resource.failed = true;
      // Only a lock has the record of such a node read; nothing can be recovered there.
      if (node.kind === "member" && !node.online && !facts.options.fencingEnabled) node.unclean = true;
      return;
    case ON_FAIL.restartContainer:
      resource.failed = true;
      if (resource.container !== undefined) {
        resource.container.restartContainer = true;
      } else resource.failed = true;
      return;
    case ON_FAIL.resetRemote: {
      resource.failed = true;
      const remote = resource.remoteNodeName === undefined ? undefined : facts.nodeByName.get(resource.remoteNodeName);
      const mustFence = remote !== undefined && facts.options.fencingEnabled && !remote.remoteWasFenced;
      if (mustFence && !remote.unclean) wantFencing(facts, remote, "remote connection is unrecoverable");
      // It is tried again when the interval is over, not at once.
      if (resource.reconnectMs > 0) resource.nextRole = ROLE.stopped;
      return;
    }
    default:
      return;
  }
}

function settleState(facts: Reading, resource: ResourceDraft, node: NodeDraft, outcome: OnFail): void {
  if (resource.role !== ROLE.unknown && resource.role !== ROLE.stopped && resource.managed && !node.online)
    fenceForUncleanNode(facts, resource, node);
  // The fencing answers every failure on that node.
  const onFail = node.unclean && facts.options.fencingEnabled ? ON_FAIL.ignore : outcome;
  const active = resource.role !== ROLE.stopped && resource.role !== ROLE.unknown;
  answerFailure(facts, resource, node, onFail);
  if (onFail !== ON_FAIL.ignore && active) resource.failedThere = true;
  if (!active) return;
  // An instance beyond the limit of its clone is not what the option speaks of: it goes.
  if (resource.removed && resource.parent === undefined && !facts.options.stopRemoved) resource.managed = false;
  addRunning(resource, node);
}

/** The role that the configuration allows at most. */
export function targetRoleOf(resource: Resource, promotable: boolean): Role {
  const role = parseRole(resource.meta["target-role"]);
  if (role === ROLE.unknown || resource.meta["target-role"] === "default") return ROLE.unknown;
  if (role > ROLE.started) {
    if (!promotable) return ROLE.unknown;
    return role === ROLE.unpromoted ? role : ROLE.unknown;
  }
  return role;
}

/** A node that leaves for a while keeps its resources, but not for longer than the limit, where there is one. */
function readLock(facts: Reading, resource: ResourceDraft, node: NodeDraft, sinceSeconds: number): void {
  const { shutdownLock, shutdownLockLimitMs } = facts.options;
  if (!shutdownLock) return;
  const untilSeconds = sinceSeconds + shutdownLockLimitMs / 1000;
  const isExpired = shutdownLockLimitMs > 0 && untilSeconds <= facts.nowSeconds;
  if (shutdownLockLimitMs > 0 && !isExpired) facts.ruleContext.onChangeAt?.(untilSeconds);
  resource.lock = { node, sinceSeconds, isExpired };
}

function readHistory(facts: Reading, node: NodeDraft, element: XmlElement): void {
  const entries = readEntries(element);
  const lock = element.attributes["shutdown-lock"];
  if (entries.length === 0 && lock === undefined) return;
  const id = element.attributes["id"] ?? "";
  const found = findInstance(facts, node, id);
  if (found === undefined && entries.length === 0) return;
  const resource = found ?? addRemoved(facts, element);
  if (lock !== undefined) readLock(facts, resource, node, Number.parseInt(lock, 10) || 0);
  const before = resource.role;
  resource.role = ROLE.unknown;
  const history: History = { node, element, entries, ...activeSpan(entries) };
  const earlier = resource.history.get(node);
  resource.history.set(node, history);
  const outcome: Outcome = { onFail: ON_FAIL.ignore, lastFailure: undefined };
  for (const entry of entries) applyOutcome(facts, resource, node, entry, outcome);
  settleState(facts, resource, node, outcome.onFail);
  // The number of an instance that does not run means nothing any more.
  if (resource.role > ROLE.stopped || id === resource.baseId) resource.recordedName = id;
  else if (resource.runningOn.length === 0) resource.recordedName = undefined;
  // Two records of one node may be given to one instance: the one that tells of its running counts.
  if (earlier !== undefined && resource.role <= ROLE.stopped) resource.history.set(node, earlier);
  limitRole(resource);
  if (before > resource.role) resource.role = before;
}

/** Lowers the next role to what target-role allows. */
export function limitRole(resource: ResourceDraft): void {
  if (resource.kind !== "primitive") return;
  const target = targetRoleOf(resource, isInPromotable(resource));
  if (target !== ROLE.unknown && (resource.nextRole === ROLE.unknown || target < resource.nextRole))
    resource.nextRole = target;
}

function isInPromotable(resource: ResourceDraft): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.promotable) return true;
  return false;
}

/** All that is recorded for one node. */
export function readHistories(facts: Reading, node: NodeDraft, state: XmlElement): void {
  const list = childOf(childOf(state, "lrm"), "lrm_resources");
  for (const element of childrenOf(list, "lrm_resource")) readHistory(facts, node, element);
}
