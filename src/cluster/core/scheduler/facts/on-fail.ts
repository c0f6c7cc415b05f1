/**
 * What shall follow a failed operation, and what its configuration says. Ordered: of several failures the gravest
 * answer counts. Facts: Pacemaker Explained, "Operation Properties", on-fail.
 */
import { addEntry } from "../../../../base/record.ts";
import { childrenOf } from "../../../../base/xml.ts";
import { withoutInstance } from "../../../../cib/instance-name.ts";
import { INFINITY_SCORE, parseScore } from "../../../../cib/schema/values.ts";
import { addSets } from "./attribute-sets.ts";
import type { Known, Node, Operation, Resource } from "./model.ts";
import { ROLE, type Role } from "./values.ts";

export const ON_FAIL = {
  ignore: 0,
  demote: 1,
  recover: 2,
  restartContainer: 3,
  resetRemote: 4,
  ban: 5,
  block: 6,
  stop: 7,
  standby: 8,
  fence: 9,
} as const;
export type OnFail = (typeof ON_FAIL)[keyof typeof ON_FAIL];

/** The configured operation that a recorded one was an execution of. */
export function findOperation(resource: Resource, task: string, intervalMs: number): Operation | undefined {
  const exact = resource.operations.find((op) => op.name === task && op.intervalMs === intervalMs && op.enabled);
  if (exact !== undefined) return exact;
  // Migrations and the last resort: the plain operation of that name.
  return resource.operations.find((op) => op.name === task && op.intervalMs === intervalMs);
}

/** Options of the operation: its own attributes and meta-attributes, then op_defaults. */
export function operationMeta(
  facts: Known,
  resource: Resource,
  operation: Operation | undefined,
  task: string,
  intervalMs: number,
): Record<string, string> {
  const own = childrenOf(operation?.element, "meta_attributes");
  const parameters = childrenOf(operation?.element, "instance_attributes");
  const { operation: defaults } = facts.defaults;
  // Mostly there is nothing but the operation's own attributes.
  if (own.length + parameters.length + defaults.length === 0) return { ...operation?.element.attributes };
  const context = {
    ...facts.ruleContext,
    resource: {
      class: resource.class,
      ...(resource.provider === "" ? {} : { provider: resource.provider }),
      type: resource.type,
    },
    operation: { name: task, intervalMs },
  };
  const meta = addSets(own, facts.ids, context, {});
  if (operation !== undefined) {
    addSets(parameters, facts.ids, context, meta);
    for (const [name, value] of Object.entries(operation.element.attributes)) addEntry(meta, name, value);
  }
  return addSets(defaults, facts.ids, context, meta);
}

export interface FailurePolicy {
  readonly onFail: OnFail;
  /** The role that the failure leaves the resource in. */
  readonly role: Role;
}

function isRemoteConnectionFailure(facts: Known, resource: Resource, task: string): boolean {
  if (resource.remoteNodeName === undefined || task === "start") return false;
  const node = facts.nodeByName.get(resource.remoteNodeName);
  return node?.kind === "remote";
}

/** Whether the configuration itself says that a failure of this operation waits for an operator. */
export function blocksByConfiguration(facts: Known, resource: Resource, task: string, intervalMs: number): boolean {
  return configuredOnFail(facts, resource, task, intervalMs) === "block";
}

function configuredOnFail(facts: Known, resource: Resource, task: string, intervalMs: number): string | undefined {
  const operation = findOperation(resource, task, intervalMs);
  const own = operationMeta(facts, resource, operation, task, intervalMs)["on-fail"];
  if (own === "demote" && task !== "promote" && !(task === "monitor" && intervalMs > 0 && isPromotedRole(operation)))
    return undefined;
  // What could not be stopped is not answered by stopping it, or moving it away.
  if (task === "stop" && (own === "stop" || own === "standby")) return undefined;
  if (own !== undefined || task !== "demote") return own;
  // A failed demote is answered as the recurring monitor of the promoted role says.
  const monitor = resource.operations.find(
    (op) => op.name === "monitor" && op.enabled && op.intervalMs > 0 && isPromotedRole(op),
  );
  const inherited = monitor?.element.attributes["on-fail"];
  return inherited === "demote" ? undefined : inherited;
}

function isPromotedRole(operation: Operation | undefined): boolean {
  return operation?.role === ROLE.promoted;
}

const ANSWERS: ReadonlyMap<string, OnFail> = new Map<string, OnFail>([
  ["block", ON_FAIL.block],
  ["fence", ON_FAIL.fence],
  ["standby", ON_FAIL.standby],
  ["ignore", ON_FAIL.ignore],
  ["nothing", ON_FAIL.ignore],
  ["migrate", ON_FAIL.ban],
  ["restart", ON_FAIL.recover],
  ["restart-container", ON_FAIL.restartContainer],
  ["demote", ON_FAIL.demote],
]);

/** How a failure of the operation is answered. */
export function failurePolicy(facts: Known, resource: Resource, task: string, intervalMs: number): FailurePolicy {
  const { fencingEnabled } = facts.options;
  const role = task === "promote" ? ROLE.unpromoted : ROLE.started;
  const configured = configuredOnFail(facts, resource, task, intervalMs);
  if (configured === "fence" && !fencingEnabled) return { onFail: ON_FAIL.stop, role: ROLE.stopped };
  if (configured === "stop") return { onFail: ON_FAIL.stop, role: ROLE.stopped };
  const answer = configured === undefined ? undefined : ANSWERS.get(configured);
  if (answer !== undefined && (answer !== ON_FAIL.restartContainer || resource.container !== undefined))
    return { onFail: answer, role };
  if (resource.container !== undefined && resource.meta["internal_remote_node"] === undefined)
    return { onFail: ON_FAIL.restartContainer, role };
  // A connection with a reconnect interval stays down until the failure is as old as that.
  if (isRemoteConnectionFailure(facts, resource, task))
    return { onFail: ON_FAIL.resetRemote, role: resource.reconnectMs > 0 ? ROLE.stopped : role };
  if (task === "stop") return { onFail: fencingEnabled ? ON_FAIL.fence : ON_FAIL.block, role };
  return { onFail: ON_FAIL.recover, role };
}

/** Failures of this resource recorded on the node, all operations together; expired ones not counted. */
export interface FailCount {
  readonly count: number;
  readonly lastSeconds: number;
}

const FAILURE = /^(fail-count|last-failure)-(.*?)(?:#.+_\d+)?$/;

type FailCounts = ReadonlyMap<string, FailCount>;

/** By the id that stands in the attribute's name; of a numbered one also without its number. */
function readFailCounts(attributes: Readonly<Record<string, string>>): FailCounts {
  const counts = new Map<string, FailCount>();
  for (const [name, value] of Object.entries(attributes)) {
    const match = FAILURE.exec(name);
    if (match === null) continue;
    const [, kind, id = ""] = match;
    for (const key of new Set([id, withoutInstance(id)])) {
      const { count, lastSeconds } = counts.get(key) ?? NO_FAILURES;
      const next =
        kind === "fail-count"
          ? { count: Math.min(INFINITY_SCORE, count + parseScore(value)), lastSeconds }
          : { count, lastSeconds: Math.max(lastSeconds, Number.parseInt(value, 10) || 0) };
      counts.set(key, next);
    }
  }
  return counts;
}

const NO_FAILURES: FailCount = { count: 0, lastSeconds: 0 };
/** A node's attributes are complete before the first failure is asked for, and live as long as the facts. */
const failCountsOf = new WeakMap<Readonly<Record<string, string>>, FailCounts>();

function failCounts(attributes: Readonly<Record<string, string>>): FailCounts {
  let counts = failCountsOf.get(attributes);
  if (counts === undefined) {
    counts = readFailCounts(attributes);
    failCountsOf.set(attributes, counts);
  }
  return counts;
}

/** Whether any failure of any resource is recorded on the node. */
export function hasFailures({ attributes }: Node): boolean {
  return failCounts(attributes).size > 0;
}

/** Raw fail count and time of the last failure, from the node's transient attributes. */
export function recordedFailures(resource: Resource, attributes: Readonly<Record<string, string>>): FailCount {
  const counts = failCounts(attributes);
  if (counts.size === 0) return NO_FAILURES;
  const exact = resource.parent !== undefined && cloneIsUnique(resource);
  return counts.get(exact ? resource.id : resource.baseId) ?? NO_FAILURES;
}

function cloneIsUnique(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.kind === "clone") return up.unique;
  return false;
}
