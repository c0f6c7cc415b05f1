/** From what a run worked out to the plain data that leaves the scheduler. */
import { setEntry } from "../../../base/record.ts";
import type {
  ClusterAction,
  FenceAction,
  PseudoAction,
  ResourceAction,
  Transition,
  TransitionAction,
} from "../transition/graph.ts";
import type { Action } from "./act/actions.ts";
import { circleProblems } from "./act/circle.ts";
import type { BlockedAction, Decision, NodeStatus, ResourceRole, ResourceStatus } from "./decision.ts";
import { atHost, ownParameters } from "./facts/digests.ts";
import type { Facts, Resource } from "./facts/model.ts";
import { inAnonymousClone } from "./facts/model.ts";
import { findOperation, operationMeta } from "./facts/on-fail.ts";
import { bundledParameters } from "./facts/read-bundle.ts";
import { parametersOf } from "./facts/read-resources.ts";
import { lockOn } from "./facts/shutdown-locks.ts";
import { parseDurationMs, type Role } from "./facts/values.ts";
import { isManaged } from "./place/board.ts";
import { operationKey } from "./print/names.ts";
import { summaryLines } from "./print/summary-lines.ts";
import { reasonOf } from "./reason-text.ts";
import { startDelayMs } from "./start-delay.ts";
import type { Worked } from "./worked.ts";

const ROLES: readonly ResourceRole[] = ["unknown", "stopped", "started", "unpromoted", "promoted"];
const roleName = (role: Role): ResourceRole => ROLES[role] ?? "unknown";
/** Fact: Pacemaker Explained, operation attribute `timeout`. */
const TIMEOUT_DEFAULT_MS = 20_000;

const META_SKIPPED = new Set(["id", "name", "interval", "timeout", "description"]);

function resourceAction({ facts, board }: Worked, step: Action, resource: Resource, base: Base): ResourceAction {
  const name = step.operation === "cancel" ? (step.meta["operation"] ?? "monitor") : step.operation;
  const operation = findOperation(resource, name, step.intervalMs);
  const options = operationMeta(facts, resource, operation, name, step.intervalMs);
  const meta: Record<string, string> = {};
  for (const [key, value] of Object.entries(options))
    if (!META_SKIPPED.has(key)) setEntry(meta, key.replaceAll("-", "_"), value);
  const timeoutMs = parseDurationMs(options["timeout"]) ?? TIMEOUT_DEFAULT_MS;
  const delayMs = startDelayMs(options, step.intervalMs, facts.ruleContext);
  if (delayMs === undefined) delete meta["start_delay"];
  else meta["start_delay"] = String(delayMs);
  const anonymous = inAnonymousClone(resource);
  const host = resource.container === undefined ? undefined : board.assigned[resource.container.index];
  const lock = lockOn(facts, resource, step.node);
  return {
    ...base,
    kind: "resource",
    operation: step.operation,
    node: step.node?.name ?? "",
    resource: {
      id: anonymous ? resource.baseId : resource.id,
      ...(anonymous ? { longId: resource.id } : {}),
      class: resource.class,
      ...(resource.provider === "" ? {} : { provider: resource.provider }),
      type: resource.type,
    },
    intervalMs: step.intervalMs,
    timeoutMs,
    ...(delayMs === undefined || delayMs === 0 ? {} : { startDelayMs: delayMs }),
    ...(lock === undefined ? {} : { lockedSinceSeconds: lock.sinceSeconds }),
    parameters: {
      ...atHost(parametersOf(facts, resource, step.node?.attributes), host),
      ...bundledParameters(resource),
      ...ownParameters(resource, { task: name, intervalMs: step.intervalMs }),
    },
    meta: { ...meta, timeout: String(timeoutMs), ...step.meta },
    expectedCode: step.expectedCode,
  };
}

type Base = Pick<TransitionAction, "id" | "key" | "priority" | "inputs" | "reason">;

function actionOf(worked: Worked, step: Action, base: Base): TransitionAction {
  const { resource, node } = step;
  if (step.kind === "fence") {
    const fence: FenceAction = {
      ...base,
      kind: "fence",
      operation: step.fenceKind ?? "reboot",
      target: node?.name ?? "",
      meta: step.meta,
    };
    return fence;
  }
  if (step.kind === "cluster") {
    const cluster: ClusterAction = {
      ...base,
      kind: "cluster",
      operation: step.operation,
      node: node?.name ?? "",
      ...(resource === undefined ? {} : { resourceId: resource.baseId }),
      meta: step.meta,
    };
    return cluster;
  }
  if (step.kind === "resource" && resource !== undefined) return resourceAction(worked, step, resource, base);
  const pseudo: PseudoAction = {
    ...base,
    kind: "pseudo",
    operation: step.operation,
    ...(resource === undefined ? {} : { resourceId: resource.id }),
    ...(node === undefined ? {} : { node: node.name }),
  };
  return pseudo;
}

function nodeStatuses(facts: Facts): NodeStatus[] {
  return facts.nodes.flatMap((node) =>
    node.kind === "ping"
      ? []
      : [
          {
            name: node.name,
            id: node.id,
            kind: node.kind,
            online: node.online,
            unclean: node.unclean,
            standby: node.standby,
            maintenance: node.maintenance || facts.options.maintenance,
            pending: node.pending,
            shuttingDown: node.shutdown,
          },
        ],
  );
}

function resourceStatuses({ facts, board }: Worked): ResourceStatus[] {
  return facts.resources.flatMap((resource) => {
    if (resource.kind !== "primitive") return [];
    const next = board.assigned[resource.index];
    return [
      {
        id: resource.id,
        class: resource.class,
        priority: resource.priority,
        role: roleName(resource.role),
        activeOn: resource.runningOn.map(({ name }) => name),
        nextRole: roleName(next === undefined ? 1 : (board.nextRole[resource.index] ?? 0)),
        ...(next === undefined ? {} : { nextNode: next.name }),
        managed: isManaged(board, resource),
        ...(resource.heldBack && !isManaged(board, resource) ? { heldBack: true } : {}),
        failed: resource.failed,
        blocked: resource.blocked,
      },
    ];
  });
}

export function decisionOf(worked: Worked): Decision {
  const { facts, graph } = worked;
  const ids = new Map(graph.steps.map((step, index) => [step, index + 1]));
  const actions = graph.steps.map((step) =>
    actionOf(worked, step, {
      id: ids.get(step) ?? 0,
      key: operationKey(step),
      priority: step.priority,
      inputs: (graph.inputs.get(step) ?? []).map((input) => ids.get(input) ?? 0),
      reason: reasonOf(step),
    }),
  );
  const blocked: BlockedAction[] = graph.blocked.map((step) => ({
    key: operationKey(step),
    ...(step.node === undefined ? {} : { node: step.node.name }),
    reason: reasonOf(step),
  }));
  const transition: Transition = {
    actions,
    clusterDelayMs: facts.options.clusterDelayMs,
    fencingTimeoutMs: facts.options.fencingTimeoutMs,
    batchLimit: facts.options.batchLimit,
    migrationLimit: facts.options.migrationLimit,
    ...(facts.recheck.atSeconds === undefined ? {} : { recheckAtWallMs: facts.recheck.atSeconds * 1000 }),
    summary: summaryLines(worked),
  };
  return {
    transition,
    blocked,
    nodes: nodeStatuses(facts),
    resources: resourceStatuses(worked),
    problems: [...facts.problems, ...circleProblems(facts, graph)],
  };
}
