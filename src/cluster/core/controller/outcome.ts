/**
 * What a result means at the DC: success, a failure that counts, or a surprise that only wants a new decision.
 * Fail counts are transient attributes of the node (Pacemaker Explained, "Failure Counts"): a failed stop and, while
 * `start-failure-is-fatal`, a failed start count as INFINITY; a probe that finds something else than was expected is
 * no failure but news.
 */
import { entryOf } from "../../../base/record.ts";
import type { StatusChange } from "../cib-store/types.ts";
import type { OperationResult } from "../executor/types.ts";
import { isDegraded, soundCode } from "../scheduler/facts/history-outcome.ts";
import {
  clusterOption,
  failureName,
  failureNames,
  nodeState,
  raisedCount,
  readBoolean,
  transientAttributes,
} from "./cib-read.ts";
import { endLock } from "./kept-locks.ts";
import { withdrawFence } from "./reign.ts";
import { emit, log, members, send, type Turn, want } from "./turn.ts";
import type { ControllerMessage, OperationFailure } from "./types.ts";

/** `op-status` of the CIB: carried out; the exit code tells the rest. */
const DONE = 0;
const CANCELLED = 1;

export function hasSucceeded({ opStatus, rcCode, expectedCode }: OperationResult): boolean {
  return opStatus === DONE && soundCode(rcCode) === expectedCode;
}

function isProbe({ operation, intervalMs }: Pick<OperationResult, "operation" | "intervalMs">): boolean {
  return operation === "monitor" && intervalMs === 0;
}

function nextCount(turn: Turn, node: string, failure: OperationFailure, name: string): string {
  const { cib } = turn.state;
  const isFatal =
    failure.operation === "stop" ||
    (failure.operation === "start" && readBoolean(clusterOption(cib, "start-failure-is-fatal"), true));
  const before = entryOf(transientAttributes(nodeState(cib, node)), name);
  return isFatal ? "INFINITY" : raisedCount(before);
}

/** Writes the failure down on its node and says it loudly; an agent that calls its service degraded is only told. */
export function countFailure(turn: Turn, node: string, failure: OperationFailure): void {
  const { resource, operation, intervalMs, rcCode, opStatus, exitReason, wallMs } = failure;
  const why = exitReason === "" ? "" : `: ${exitReason}`;
  if (opStatus === DONE && isDegraded(rcCode)) {
    log(turn, "warning", `${resource}: ${operation} on ${node} answers degraded (rc=${rcCode})${why}`);
    return;
  }
  const countName = failureName("fail-count", resource, operation, intervalMs);
  const timeName = failureName("last-failure", resource, operation, intervalMs);
  const count = nextCount(turn, node, failure, countName);
  emit(turn, {
    kind: "report",
    changes: [
      { kind: "set-attribute", node, name: countName, value: count },
      { kind: "set-attribute", node, name: timeName, value: String(Math.floor(wallMs / 1000)) },
    ],
  });
  log(
    turn,
    "error",
    `${resource}: ${operation} failed on ${node} (rc=${rcCode}, status=${opStatus}), fail count ${count}${why}`,
  );
}

/** One answer to a `perform`. True when the transition may count on it. */
export function judgeResult(turn: Turn, node: string, result: OperationResult, wallMs: number): boolean {
  const { resourceId, operation, intervalMs, rcCode, opStatus, exitReason, expectedCode } = result;
  const failure = { resource: resourceId, operation, intervalMs, rcCode, opStatus, exitReason, wallMs };
  if (hasSucceeded(result)) {
    if (isDegraded(rcCode)) countFailure(turn, node, failure);
    if (operation === "monitor" || operation === "notify") return true;
    log(turn, "info", `${resourceId}: ${operation} on ${node} is done after ${Math.round(result.execMs)} ms`);
    if (exitReason !== "") log(turn, "warning", `${resourceId}: ${exitReason}`);
    return true;
  }
  if (opStatus === CANCELLED || operation === "notify") {
    log(turn, "info", `${resourceId}: ${operation} on ${node} ended without effect (status ${opStatus})`);
  } else if (isProbe(result)) {
    log(turn, "info", `${resourceId}: the probe on ${node} answers ${rcCode}, not ${expectedCode}`);
  } else {
    countFailure(turn, node, failure);
  }
  want(turn, `${operation} of ${resourceId} on ${node} answered ${rcCode}`);
  return false;
}

type Cleanup = Extract<ControllerMessage, { kind: "cleanup-request" }>;

/** An operator says that the cause is mended: failures and history are forgotten, and the resource is probed again. */
export function cleanUp(turn: Turn, { resource, node }: Omit<Cleanup, "kind">): void {
  const { lead, cib } = turn.state;
  if (lead === undefined) return;
  // Of a node that is away nothing is remembered but what waits for it.
  if (node !== undefined && !members(turn).includes(node)) endLock(turn, node, resource);
  for (const name of members(turn)) {
    if (node !== undefined && node !== name) continue;
    const names = failureNames(nodeState(cib, name), resource);
    const changes = names.map((attribute): StatusChange => {
      return { kind: "set-attribute", node: name, name: attribute, value: null };
    });
    if (changes.length > 0) emit(turn, { kind: "report", changes });
    send(turn, name, { kind: "clear", round: lead.round, resource, scope: "history" });
    // It may have been for this very failure; what still wants a fencing will say so in the next decision.
    withdrawFence(turn, name);
  }
  log(turn, "info", `${resource}: failures are forgotten${node === undefined ? "" : ` on ${node}`}`);
}
