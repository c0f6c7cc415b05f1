/**
 * Whether what was asked of the cluster has come about, now that nothing is under way there. A cluster that has settled
 * may have failed, or been kept from it: who waits with `-w` must not take that for done.
 */
import { unreachable } from "../../base/check.ts";
import type { ControlRequest, FailureStatus, ResourceStatus, StatusReport } from "../control-protocol.ts";

const nodesOf = ({ active }: ResourceStatus, role?: string) =>
  active.filter((each) => role === undefined || each.role === role).map(({ node }) => node);

/** The resource itself, or all within the group or clone of that name. */
function within({ resources }: StatusReport, id: string): readonly ResourceStatus[] {
  return resources.filter((each) => each.id === id || each.parents.some((parent) => parent.id === id));
}

function reasonOf({ operation, node, exitReason, status, code }: FailureStatus): string {
  const why = exitReason !== "" ? exitReason : status === "complete" ? `exit code ${code}` : status;
  return `${operation.replace(/_0$/, "")} failed on ${node}: ${why}`;
}

/** Why it is as it is, as far as the status knows; who wants to know more asks `gemel why`. */
function because(
  status: StatusReport,
  { id, isManaged, heldBy }: ResourceStatus,
  operations: readonly string[],
): string {
  // What has failed and is blocked for it counts as unmanaged, too.
  const failure = failuresOf(status).findLast(
    ({ resource, operation }) => resource === id && operations.some((name) => operation.startsWith(name)),
  );
  if (failure !== undefined) return reasonOf(failure);
  if (heldBy === "no-fencing") return "there is nothing to fence with, so that nothing is started, moved or stopped";
  return isManaged ? `gemel why ${id} says what keeps it` : "it is unmanaged";
}

/** A probe that has found it running has not failed, whatever was expected. */
const failuresOf = ({ failures }: StatusReport) => failures.filter(({ code }) => code !== 0);

const STOPPING = ["stop", "demote"];
const STARTING = ["start", "promote", "monitor"];

function stillRuns(status: StatusReport, resource: ResourceStatus, where: readonly string[]): readonly string[] {
  const kept = because(status, resource, STOPPING);
  return where.length === 0 ? [] : [`${resource.id} still runs on ${where.join(", ")}: ${kept}`];
}

function runsNowhere(status: StatusReport, resource: ResourceStatus): readonly string[] {
  const { id, active, isWanted } = resource;
  return active.length > 0 || !isWanted ? [] : [`${id} runs nowhere: ${because(status, resource, STARTING)}`];
}

const keyOf = ({ node, resource, operation, callId }: FailureStatus) =>
  [node, resource, operation, String(callId)].join(" ");

/** Failures that came since `before`. */
export function newFailures(before: StatusReport | undefined, after: StatusReport): readonly string[] {
  const known = new Set(before?.failures.map(keyOf));
  return failuresOf(after)
    .filter((failure) => !known.has(keyOf(failure)))
    .map((failure) => `${failure.resource}: ${reasonOf(failure)}`);
}

type ResourceRequest = Extract<ControlRequest, { kind: "resource" }>;
type NodeRequest = Extract<ControlRequest, { kind: "node" }>;

function ofResource(
  request: ResourceRequest,
  before: StatusReport | undefined,
  status: StatusReport,
): readonly string[] {
  const { resource: id, action, node } = request;
  const meant = within(status, id);
  switch (action) {
    case "stop":
      return meant.flatMap((each) => stillRuns(status, each, nodesOf(each)));
    case "start":
      return meant.flatMap((each) => runsNowhere(status, each));
    case "move":
      return meant.flatMap((each) =>
        node === undefined || !each.isWanted || nodesOf(each).includes(node)
          ? []
          : [`${each.id} does not run on ${node}: ${because(status, each, STARTING)}`],
      );
    case "ban":
      return meant.flatMap((each) =>
        stillRuns(status, each, node === undefined ? [] : nodesOf(each).filter((at) => at === node)),
      );
    case "cleanup":
      return newFailures(before, status).filter((line) => meant.some((each) => line.startsWith(`${each.id}: `)));
    case "promote":
    case "demote":
      return roleNotReached(action, id, status);
    case "manage":
    case "unmanage":
    case "unmove":
      return [];
    default:
      return unreachable(action);
  }
}

function ofNode({ node, action }: NodeRequest, status: StatusReport): readonly string[] {
  const found = status.nodes.find(({ name }) => name === node);
  if (action === "standby") {
    return status.resources
      .filter(({ isManaged }) => isManaged)
      .flatMap((each) =>
        stillRuns(
          status,
          each,
          nodesOf(each).filter((at) => at === node),
        ),
      );
  }
  const isBack = action === "online" || action === "ready";
  return !isBack || found === undefined || found.state === "online" ? [] : [`${node} is ${found.state}`];
}

/** What of the request has not come about, each with its reason; empty when all has. */
export function notReached(
  request: ControlRequest,
  before: StatusReport | undefined,
  status: StatusReport,
): readonly string[] {
  if (request.kind === "resource") return ofResource(request, before, status);
  return request.kind === "node" ? ofNode(request, status) : [];
}

/** Of a promotable clone: an instance that is promoted, or none. */
export function roleNotReached(verb: "promote" | "demote", id: string, status: StatusReport): readonly string[] {
  const meant = within(status, id);
  const promoted = meant.filter((each) => nodesOf(each, "Promoted").length > 0);
  if (verb === "demote") return promoted.flatMap((each) => stillRuns(status, each, nodesOf(each, "Promoted")));
  const [first] = meant;
  if (promoted.length > 0 || first === undefined) return [];
  return [`${id} is promoted nowhere: ${because(status, first, STARTING)}`];
}
