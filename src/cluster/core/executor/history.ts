/**
 * The operation history of a node's resources, as records and as the `lrm_resources` of the CIB's status section.
 * The scheduler derives from it alone what runs where, so the form is exactly Pacemaker's lrm_rsc_op.
 * Facts: Pacemaker Explained, "Operation History"; recorded CIBs of its regression suite.
 */
import { entryOf } from "../../../base/record.ts";
import { type XmlElement, xml } from "../../../base/xml.ts";
import type { ResourceAction } from "../transition/graph.ts";
import type { Call, ExecutorState, HistoryRecord, Outcome, ResourceState } from "./types.ts";

/** Reported as the version of the CIB's dialect with every operation: that of Pacemaker 2.1.5. */
export const FEATURE_SET = "3.16.2";

/** Pacemaker's execution status numbers. */
export const OP_STATUS = { pending: -1, done: 0, cancelled: 1, timeout: 2, error: 4, notInstalled: 7 } as const;
const RC_UNKNOWN_ERROR = 1;
const RC_NOT_INSTALLED = 5;
/** Shown as the exit code of an operation that still runs. */
const RC_PENDING = 193;

/** Operations that say nothing about what runs here. */
const UNRECORDED = new Set(["notify", "meta-data", "validate-all", "cancel", "delete"]);

export function isRecorded(operation: string): boolean {
  return !UNRECORDED.has(operation);
}

/** Status and code as the CIB has them. A timeout counts as an unknown error (code 1), told apart by its status. */
export function codesOf(outcome: Outcome): { readonly opStatus: number; readonly rcCode: number } {
  switch (outcome.kind) {
    case "exit":
      return { opStatus: OP_STATUS.done, rcCode: outcome.code };
    case "timeout":
      return { opStatus: OP_STATUS.timeout, rcCode: RC_UNKNOWN_ERROR };
    case "killed":
      return { opStatus: OP_STATUS.cancelled, rcCode: RC_UNKNOWN_ERROR };
    case "not-installed":
      return { opStatus: OP_STATUS.notInstalled, rcCode: RC_NOT_INSTALLED };
    case "error":
      return { opStatus: OP_STATUS.error, rcCode: RC_UNKNOWN_ERROR };
  }
}

/** Under which suffix of the resource's name an operation is kept. */
export function historySuffix(operation: string, intervalMs: number): string {
  if (intervalMs > 0) return `${operation}_${intervalMs}`;
  if (operation === "migrate_to" || operation === "migrate_from") return `${operation}_0`;
  return "last_0";
}

export function isExpected({ opStatus, rcCode }: Pick<HistoryRecord, "opStatus" | "rcCode">, expectedCode: number) {
  return opStatus === OP_STATUS.done && rcCode === expectedCode;
}

/** With a new record in it; a failure is kept a second time, until it is cleared. */
export function recordResult(
  history: ResourceState["history"],
  record: HistoryRecord,
  expectedCode: number,
): ResourceState["history"] {
  const suffix = historySuffix(record.operation, record.intervalMs);
  const failure = isExpected(record, expectedCode) ? {} : { last_failure_0: record };
  return { ...history, [suffix]: record, ...failure };
}

/** OCF_SUCCESS, OCF_RUNNING_PROMOTED: a probe that finds it running against the expectation is no failure of it. */
const RUNNING_CODES = new Set([0, 8]);

/** Whether it has failed since it was last started, promoted or demoted: that very operation, or a monitor after it. */
export function hasFailedSince(history: ResourceState["history"]): boolean {
  const { last_failure_0: failure, last_0: last } = history;
  if (failure === undefined || (failure.opStatus === OP_STATUS.done && RUNNING_CODES.has(failure.rcCode))) return false;
  return failure.callId >= (last?.callId ?? 0);
}

/** Since when it is locked to this node once that action has ended so: only what ran and was stopped is. */
export function lockAfter(
  before: number | undefined,
  { operation, lockedSinceSeconds, expectedCode }: ResourceAction,
  answer: Pick<HistoryRecord, "opStatus" | "rcCode">,
): number | undefined {
  if (operation === "stop" && isExpected(answer, expectedCode)) return lockedSinceSeconds;
  return operation === "monitor" ? before : undefined;
}

function operationXml(node: string, resourceId: string, suffix: string, record: HistoryRecord): XmlElement {
  const { operation, intervalMs, callId, rcCode, opStatus, transitionKey, exitReason } = record;
  return xml("lrm_rsc_op", {
    id: `${resourceId}_${suffix}`,
    operation_key: `${resourceId}_${operation}_${intervalMs}`,
    operation,
    crm_feature_set: FEATURE_SET,
    "transition-key": transitionKey,
    "transition-magic": `${opStatus}:${rcCode};${transitionKey}`,
    "exit-reason": exitReason,
    on_node: node,
    "call-id": String(callId),
    "rc-code": String(rcCode),
    "op-status": String(opStatus),
    interval: String(intervalMs),
    "last-rc-change": String(Math.floor(record.lastChangeWallMs / 1000)),
    "exec-time": String(Math.round(record.execMs)),
    "queue-time": String(Math.round(record.queueMs)),
    "op-digest": record.digest,
  });
}

const ENDS_A_STATE = new Set(["stop", "demote"]);

function pendingRecord(call: Call): HistoryRecord {
  return {
    operation: call.action.operation,
    intervalMs: 0,
    callId: -1,
    rcCode: RC_PENDING,
    opStatus: OP_STATUS.pending,
    transitionKey: call.transitionKey,
    exitReason: "",
    lastChangeWallMs: 0,
    execMs: 0,
    queueMs: 0,
    digest: call.digest,
  };
}

/** Its last operation says itself since when it stands so. */
const SAYS_SINCE = new Set(["start", "promote", "demote"]);

/**
 * Since when it stands in its state, where no operation of the history says so: a manager that was started anew, or a
 * cleanup, has probed it. Ours alone: Pacemaker has no word for it.
 */
function activeSince({ begun, history }: ResourceState): Record<string, string> {
  const last = history["last_0"]?.operation;
  if (begun?.sinceWallMs === undefined || (last !== undefined && SAYS_SINCE.has(last))) return {};
  return { "active-since": String(Math.floor(begun.sinceWallMs / 1000)) };
}

/** The resource as it stands in the CIB; undefined when this node knows nothing of it. */
export function lrmResourceXml(state: ExecutorState, resourceId: string): XmlElement | undefined {
  const resource = entryOf(state.resources, resourceId);
  if (resource === undefined) return undefined;
  const records = { ...resource.history };
  // A new DC must see what is under way, or it would order the same again; and what it is that is being changed: a
  // stop that has not ended says by itself nothing of a resource that still runs.
  for (const call of [resource.running, ...resource.waiting]) {
    if (call === undefined || call.action.intervalMs > 0 || !isRecorded(call.action.operation)) continue;
    const known = entryOf(resource.history, historySuffix(call.action.operation, 0)) !== undefined;
    if (known) records["pending_0"] = pendingRecord(call);
    // Where nothing is known the end of it, or a probe behind it, is to tell.
    else if (!ENDS_A_STATE.has(call.action.operation)) records["last_0"] = pendingRecord(call);
  }
  const { class: agentClass, provider, type } = resource.identity;
  const lock = resource.lockedSinceSeconds === undefined ? undefined : String(resource.lockedSinceSeconds);
  const identity = {
    id: resourceId,
    class: agentClass,
    ...(provider === undefined ? {} : { provider }),
    type,
    ...(lock === undefined ? {} : { "shutdown-lock": lock }),
    ...activeSince(resource),
  };
  const operations = Object.entries(records).map(([suffix, record]) =>
    operationXml(state.node, resourceId, suffix, record),
  );
  return operations.length === 0 ? undefined : xml("lrm_resource", identity, operations);
}

/** The whole history of the node, for its `lrm` element. */
export function lrmResourcesXml(state: ExecutorState): XmlElement {
  const resources = Object.keys(state.resources).flatMap((id) => lrmResourceXml(state, id) ?? []);
  return xml("lrm_resources", {}, resources);
}
