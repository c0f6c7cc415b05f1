/**
 * What one recorded operation says of the resource: success, a state found by a probe, failure, still pending.
 * Facts: Pacemaker Administration, "How are OCF Return Codes Interpreted?"; Pacemaker Explained, "Operation
 * Properties" (on-fail), "Resource Meta-Attributes" (failure-timeout).
 */
import { definitionChange } from "./digests.ts";
import type { NodeDraft, Reading, ResourceDraft } from "./draft.ts";
import { applyMigration } from "./history-migration.ts";
import { mayFence } from "./may-fence.ts";
import type { HistoryEntry, Known, Node, Resource } from "./model.ts";
import { inAnonymousClone, inPromotable, topOf } from "./model.ts";
import { blocksByConfiguration, failurePolicy, ON_FAIL, type OnFail, recordedFailures } from "./on-fail.ts";
import { ROLE } from "./values.ts";

export const CODE = {
  ok: 0,
  invalidParameter: 2,
  unimplemented: 3,
  noPrivilege: 4,
  notInstalled: 5,
  notConfigured: 6,
  notRunning: 7,
  promoted: 8,
  failedPromoted: 9,
  degraded: 190,
  degradedPromoted: 191,
} as const;

const STATUS = { pending: -1, done: 0, cancelled: 1, timeout: 2, unsupported: 3, error: 4, hard: 5, fatal: 6 } as const;
/** As Pacemaker numbers them: 7 not installed, 8 no executor, 9 no fencing device, 10 invalid. */
const STATUS_NOT_INSTALLED = 7;

export interface Outcome {
  onFail: OnFail;
  lastFailure: HistoryEntry | undefined;
}

/** `ACTION:TRANSITION:TARGET-RC:UUID`. */
export function targetCodeOf(entry: HistoryEntry): number {
  const key = entry.element.attributes["transition-key"] ?? "";
  const second = key.indexOf(":", key.indexOf(":") + 1);
  const code = second <= 0 ? Number.NaN : Number.parseInt(key.slice(second + 1), 10);
  return Number.isNaN(code) ? -1 : code;
}

/**
 * Degraded is no failure: it runs properly, but is more likely to fail, and nothing is done about it but to tell it.
 * Fact: Pacemaker Administration, "How are OCF Return Codes Interpreted?": 190 and 191, recovery "none".
 */
export const isDegraded = (code: number): boolean => code === CODE.degraded || code === CODE.degradedPromoted;

/** What an agent's answer says of the state, degraded or not. */
export function soundCode(code: number): number {
  if (!isDegraded(code)) return code;
  return code === CODE.degraded ? CODE.ok : CODE.promoted;
}

export function codeOf(entry: HistoryEntry): number {
  return soundCode(Number.parseInt(entry.element.attributes["rc-code"] ?? "0", 10));
}

export function statusOf(entry: HistoryEntry): number {
  const status = Number.parseInt(entry.element.attributes["op-status"] ?? "-1", 10);
  return Number.isNaN(status) ? STATUS.pending : status;
}

export function isProbe(entry: HistoryEntry): boolean {
  return entry.task === "monitor" && entry.intervalMs === 0;
}

function setActive(resource: ResourceDraft): void {
  resource.role = inPromotable(resource) ? ROLE.unpromoted : ROLE.started;
}

/** The status after a look at the exit code; may set the role that the code proves. */
function judge(resource: ResourceDraft, entry: HistoryEntry, status: number, code: number, outcome: Outcome): number {
  const target = targetCodeOf(entry);
  const probe = isProbe(entry);
  if (status !== STATUS.done && status !== STATUS.error && status !== STATUS_NOT_INSTALLED) return status;
  let judged = status;
  if (target < 0) judged = code === CODE.ok || code === CODE.promoted ? STATUS.done : STATUS.error;
  else if (status === STATUS.done && target !== code) judged = STATUS.error;
  else if (target === code) judged = STATUS.done;
  switch (code) {
    case CODE.ok:
      return probe && target === CODE.notRunning ? STATUS.done : judged;
    case CODE.notRunning:
      if (!probe && target !== code && resource.managed) return judged;
      resource.role = ROLE.stopped;
      outcome.onFail = ON_FAIL.ignore;
      resource.nextRole = ROLE.unknown;
      return STATUS.done;
    case CODE.promoted:
      resource.role = ROLE.promoted;
      return probe && code !== target ? STATUS.done : judged;
    case CODE.failedPromoted:
      resource.role = ROLE.promoted;
      return target === code ? STATUS.done : STATUS.error;
    case CODE.notConfigured:
      return STATUS.fatal;
    case CODE.unimplemented:
      return entry.intervalMs > 0 ? STATUS.unsupported : STATUS.hard;
    case CODE.notInstalled:
    case CODE.noPrivilege:
    case CODE.invalidParameter:
      return STATUS.hard;
    default:
      return judged === STATUS.done && target !== code ? STATUS.error : judged;
  }
}

/** Answers that no later success takes back. */
const LASTING = new Set<OnFail>([ON_FAIL.stop, ON_FAIL.ban, ON_FAIL.standby, ON_FAIL.fence]);

function applySuccess(
  facts: Reading,
  resource: ResourceDraft,
  node: NodeDraft,
  entry: HistoryEntry,
  status: number,
  outcome: Outcome,
): void {
  const { task } = entry;
  let clears = false;
  // That it does not run is heard of who looked; of what failed otherwise and is ignored, what was to be done counts.
  const isAway = codeOf(entry) === CODE.notRunning && (task === "monitor" || status === STATUS.done);
  if (isAway) clears = true;
  else if (task === "monitor") {
    if (outcome.lastFailure !== undefined && outcome.lastFailure.key === entry.key) clears = true;
    if (resource.role < ROLE.started) setActive(resource);
  } else if (task === "start") {
    resource.role = ROLE.started;
    clears = true;
  } else if (task === "stop") {
    resource.role = ROLE.stopped;
    clears = true;
  } else if (task === "promote") {
    resource.role = ROLE.promoted;
    clears = true;
  } else if (task === "demote") {
    if (outcome.onFail === ON_FAIL.demote) clears = true;
    resource.role = ROLE.unpromoted;
  } else if (task === "migrate_from") {
    resource.role = ROLE.started;
    clears = true;
  } else if (task === "migrate_to") {
    if (applyMigration(facts, resource, node, entry, "done") && outcome.onFail < ON_FAIL.recover)
      outcome.onFail = ON_FAIL.recover;
  } else if (resource.role < ROLE.started) setActive(resource);
  // A start makes an instance unpromoted; of the member of a cloned group it says no more than that it is started.
  const isStopped = isAway && status === STATUS.done;
  if (task === "start" && !isStopped && resource.parent?.promotable === true) resource.role = ROLE.unpromoted;
  const rests = outcome.onFail === ON_FAIL.resetRemote && resource.reconnectMs > 0;
  if (!clears || rests || LASTING.has(outcome.onFail)) return;
  outcome.onFail = ON_FAIL.ignore;
  resource.nextRole = ROLE.unknown;
}

function ban(facts: Reading, resource: ResourceDraft, node: NodeDraft | undefined, why: string): void {
  const whole = inAnonymousClone(resource) ? topOf(resource) : resource;
  facts.bans.push({ resource: whole, node, why });
}

function applyFailure(
  facts: Reading,
  resource: ResourceDraft,
  node: NodeDraft,
  entry: HistoryEntry,
  status: number,
  outcome: Outcome,
): void {
  const { task } = entry;
  const policy = failurePolicy(facts, resource, task, entry.intervalMs);
  const onFail = policy.onFail === ON_FAIL.ignore ? ON_FAIL.recover : policy.onFail;
  if (onFail > outcome.onFail) outcome.onFail = onFail;
  if (task === "stop") facts.bans.push({ resource, node, why: "stop failed" });
  else if (task === "migrate_to" || task === "migrate_from") applyMigration(facts, resource, node, entry, "failed");
  else if (task === "promote") resource.role = ROLE.promoted;
  else if (task === "demote") {
    if (policy.onFail === ON_FAIL.block) {
      resource.role = ROLE.promoted;
      resource.nextRole = ROLE.stopped;
    } else if (codeOf(entry) === CODE.notRunning) resource.role = ROLE.stopped;
    else resource.role = ROLE.unpromoted;
  }
  if (isProbe(entry) && codeOf(entry) === CODE.notInstalled) resource.role = ROLE.stopped;
  else if (resource.role < ROLE.started) setActive(resource);
  // What was found broken and not stopped shall run: it is said even where it then cannot.
  if (isProbe(entry) && resource.role >= ROLE.started && resource.nextRole < ROLE.started)
    resource.nextRole = ROLE.started;
  if (policy.role !== ROLE.started && resource.nextRole < policy.role) resource.nextRole = policy.role;
  if (policy.role === ROLE.stopped) ban(facts, resource, undefined, "on-fail=stop");
  if (status === STATUS.hard) ban(facts, resource, node, "hard error");
  else if (status === STATUS.fatal) ban(facts, resource, undefined, "fatal error");
}

const CHANGED = "resource parameters have changed";

/** How often it failed when it was defined otherwise counts no more; only a last failure is looked at. */
function isOfOldDefinition(facts: Reading, resource: ResourceDraft, node: NodeDraft, entry: HistoryEntry): boolean {
  const { id = "", "op-digest": digest } = entry.element.attributes;
  if (!id.endsWith("_last_failure_0") || digest === undefined) return false;
  if (entry.task !== "start" && entry.task !== "monitor") return false;
  // What belongs to a container is not known in full before the container has a place.
  if (resource.container !== undefined) return false;
  return definitionChange(facts, resource, node, entry, false) !== "same";
}

/** Whether the failures on the node are those of an older definition. */
export function isForgiven(facts: Known, resource: Resource, node: Node): boolean {
  return facts.clearFailures.some((each) => each.resource === resource && each.node === node && each.why === CHANGED);
}

/** A failure older than failure-timeout counts no more; a fail count of which all failures are so old is cleared. */
function hasExpired(
  facts: Reading,
  resource: ResourceDraft,
  node: NodeDraft,
  entry: HistoryEntry,
  status: number,
): boolean {
  const isDone = status === STATUS.done;
  if (resource.failureTimeoutMs === 0) return false;
  const changed = Number.parseInt(entry.element.attributes["last-rc-change"] ?? "0", 10) || 0;
  const timeoutSeconds = resource.failureTimeoutMs / 1000;
  const now = facts.nowSeconds;
  if (changed === 0) return false;
  const expired = now > changed + timeoutSeconds;
  const { count, lastSeconds } = recordedFailures(resource, node.attributes);
  // The count may end later than the failure itself, and each ends with the second after its last.
  const freeAt = Math.max(changed, lastSeconds) + timeoutSeconds + 1;
  if (!isDone && now < freeAt) facts.ruleContext.onChangeAt?.(freeAt);
  if (!expired) return false;
  // The failure itself is news while its count lasts: one that was never dated does for ever.
  const isCounted = lastSeconds === 0 || now <= lastSeconds + timeoutSeconds;
  if (count > 0 && (isCounted || isBlockingFailure(facts, resource, node))) return false;
  const awaitsFencing = isConnectionLoss(facts, resource, entry);
  // What has gone well since does not keep the failures before it from being forgotten.
  if (count > 0 && !facts.clearFailures.some((each) => each.resource === resource && each.node === node))
    facts.clearFailures.push({ resource, node, why: "it expired" });
  return !isDone && !awaitsFencing;
}

/** A lost connection is no news of the past while the node behind it may still run: first it is fenced. */
function isConnectionLoss(facts: Reading, resource: ResourceDraft, entry: HistoryEntry): boolean {
  const node = resource.remoteNodeName === undefined ? undefined : facts.nodeByName.get(resource.remoteNodeName);
  return node?.kind === "remote" && entry.task !== "start" && facts.options.fencingEnabled && !node.remoteWasFenced;
}

/** Whether a failed operation with on-fail=block is recorded: such failures do not expire. */
export function isBlockingFailure(facts: Known, resource: Resource, node: Node): boolean {
  const history = resource.history.get(node);
  for (const entry of history?.entries ?? []) {
    if (statusOf(entry) === STATUS.done && (codeOf(entry) === targetCodeOf(entry) || isProbe(entry))) continue;
    if (statusOf(entry) === STATUS.pending) continue;
    if (blocksByConfiguration(facts, resource, entry.task, entry.intervalMs)) return true;
  }
  return false;
}

function applyPending(facts: Reading, resource: ResourceDraft, node: NodeDraft, entry: HistoryEntry): void {
  const { task } = entry;
  resource.pendingNode = isProbe(entry) ? resource.pendingNode : node;
  if (task === "start") setActive(resource);
  else if (task === "promote") resource.role = ROLE.promoted;
  else if (task === "migrate_to") applyMigration(facts, resource, node, entry, "pending");
  // What ends a state, or only looks at it, says nothing of where that leaves the resource: it is to be looked for.
  if (task === "start" || task === "promote") resource.knownOn.add(node);
  if (resource.pendingTask === "" && !isProbe(entry)) resource.pendingTask = task;
}

/**
 * What the agent can do nothing for there (it is not installed, say), and no fencing either, is left to an operator,
 * whatever on-fail says and has gone well since. Fact: crm_simulate as a black box, case stop-failure-no-quorum.
 */
function cannotEverStop(facts: Reading, node: Node, entry: HistoryEntry, status: number): boolean {
  if (entry.task !== "stop" || status !== STATUS.hard) return false;
  const recorded = statusOf(entry);
  return (recorded === STATUS.done || recorded === STATUS.error) && !mayFence(facts, node);
}

/** Applies one recorded operation to the state of its resource. */
export function applyOutcome(
  facts: Reading,
  resource: ResourceDraft,
  node: NodeDraft,
  entry: HistoryEntry,
  outcome: Outcome,
): void {
  if (entry.task === "notify" || entry.task === "meta-data" || entry.task === "") return;
  const recorded = statusOf(entry);
  if (recorded === STATUS.cancelled) return;
  if (recorded === STATUS.pending) {
    // What has been under way for longer than a failure counts is no news either.
    if (!hasExpired(facts, resource, node, entry, recorded)) applyPending(facts, resource, node, entry);
    return;
  }
  const code = codeOf(entry);
  const before = { role: resource.role, nextRole: resource.nextRole, onFail: outcome.onFail };
  const status = judge(resource, entry, recorded, code, outcome);
  // Its count is forgotten, the failure itself is not: it still tells how the resource was last seen.
  if ((status !== STATUS.done || resource.managed) && isOfOldDefinition(facts, resource, node, entry))
    facts.clearFailures.push({ resource, node, why: CHANGED });
  if (hasExpired(facts, resource, node, entry, status)) {
    resource.role = before.role;
    resource.nextRole = before.nextRole;
    outcome.onFail = before.onFail;
    if (entry.intervalMs > 0) resource.expiredMonitors.push({ node, key: entry.key });
    return;
  }
  resource.knownOn.add(node);
  if (entry.intervalMs > 0)
    resource.expiredMonitors = resource.expiredMonitors.filter((each) => each.node !== node || each.key !== entry.key);
  if (status === STATUS.done) {
    applySuccess(facts, resource, node, entry, status, outcome);
    return;
  }
  if (cannotEverStop(facts, node, entry, status)) {
    resource.managed = false;
    resource.blocked = true;
    // Where a lost node was leaving anyway, it is the failure of what it could not stop.
    if (facts.options.fencingEnabled && node.kind === "member" && !node.online && node.shutdown) resource.failed = true;
  }
  const policy = failurePolicy(facts, resource, entry.task, entry.intervalMs);
  outcome.lastFailure = entry;
  if (status === STATUS.unsupported && entry.intervalMs > 0 && policy.onFail === ON_FAIL.ignore) return;
  // An agent that is not there cannot be ignored: nothing could be done with the resource on that node.
  const isAbsent = recorded === STATUS_NOT_INSTALLED;
  if (
    (policy.onFail === ON_FAIL.ignore && !isAbsent) ||
    (policy.onFail === ON_FAIL.restartContainer && entry.task === "stop")
  ) {
    applySuccess(facts, resource, node, entry, status, outcome);
    resource.failureIgnored = true;
    facts.failedEntries.push({ entry, resource, node });
    if (policy.onFail === ON_FAIL.restartContainer && outcome.onFail <= ON_FAIL.recover) outcome.onFail = policy.onFail;
    return;
  }
  facts.failedEntries.push({ entry, resource, node });
  applyFailure(facts, resource, node, entry, status, outcome);
}
