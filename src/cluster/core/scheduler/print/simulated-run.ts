/**
 * Plays a transition through as if every action had its expected result (but those that the caller lets fail), and
 * writes the results into the status: what crm_simulate -S does. Pure: the CIB comes in, lines and new CIB go out.
 */
import type { XmlElement } from "../../../../base/xml.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Action } from "../act/actions.ts";
import { currentDigest } from "../facts/digests.ts";
import type { Facts, Resource } from "../facts/model.ts";
import { cloneOf, inAnonymousClone, primitivesOf } from "../facts/model.ts";
import type { Worked } from "../worked.ts";
import { executorName, operationKey } from "./names.ts";
import {
  clearFailures,
  countFailure,
  forgetRecurring,
  goDown,
  type NodeRecord,
  type NodeRecords,
  readRecords,
  recordOf,
  recordResult,
  writeRecords,
} from "./node-records.ts";

/** How the line begins that tells of a failure asked for; it stands out from the others. */
export const PRETENCE = "Pretending action";

/** An operation that is to fail, or to be found, with that code: `RESOURCE_TASK_INTERVAL@NODE=CODE`. */
export interface OperationSpec {
  readonly resource: string;
  readonly task: string;
  readonly intervalMs: number;
  readonly node: string;
  readonly code: number;
}

/** Of an instance that has no record yet the number says nothing, if the others are recorded without one. */
function shortName(resource: Resource): string {
  if (!inAnonymousClone(resource) || resource.recordedName !== undefined) return executorName(resource);
  const siblings = cloneOf(resource)?.children.flatMap(primitivesOf) ?? [];
  return siblings.some(({ recordedName }) => recordedName === resource.baseId) ? resource.baseId : resource.id;
}

function lineOf(step: Action): string {
  const node = step.node === undefined ? "" : ` on ${step.node.name}`;
  const interval = step.intervalMs > 0 ? `=${step.intervalMs}` : "";
  if (step.kind === "fence") return `Fencing ${step.node?.name ?? ""} (${step.fenceKind ?? "reboot"})`;
  if (step.kind === "pseudo") return `Pseudo action:   ${operationKey(step)}${step.implied ? "" : node}`;
  if (step.kind === "cluster") {
    const whose =
      step.resource === undefined
        ? ""
        : ` for ${inAnonymousClone(step.resource) ? step.resource.baseId : step.resource.id}`;
    return `Cluster action:  ${step.operation}${whose}${node}`;
  }
  const name = step.resource === undefined ? "" : shortName(step.resource);
  return `Resource action: ${name.padEnd(15)} ${step.operation}${interval}${node}`;
}

/** A node knows but one instance of an anonymous clone, by whatever number the others count it. */
function recordName(record: NodeRecord, resource: Resource): string {
  return inAnonymousClone(resource) && record.resources.has(resource.baseId) ? resource.baseId : executorName(resource);
}

function runOperation(facts: Facts, record: NodeRecord, step: Action, code: number): void {
  const { resource, node, operation, intervalMs, expectedCode, meta } = step;
  if (resource === undefined || node === undefined || operation === "notify") return;
  const name = recordName(record, resource);
  if (operation === "delete") record.resources.delete(name);
  else if (operation === "cancel") forgetRecurring(record, name, intervalMs);
  else
    recordResult(record, {
      name,
      agent: resource,
      operation,
      intervalMs,
      key: operationKey(step),
      code,
      expectedCode,
      digest: currentDigest(facts, resource, node, { task: operation, intervalMs }),
      atSeconds: facts.nowSeconds,
      migration: {
        ...(meta["migrate_source"] === undefined ? {} : { source: meta["migrate_source"] }),
        ...(meta["migrate_target"] === undefined ? {} : { target: meta["migrate_target"] }),
      },
    });
}

function isMeant({ resource, operation, intervalMs, node }: Action, spec: OperationSpec): boolean {
  if (resource === undefined || node?.name !== spec.node) return false;
  const isNamed = [resource.id, resource.baseId, executorName(resource)].includes(spec.resource);
  return isNamed && operation === spec.task && intervalMs === spec.intervalMs;
}

/** Does one step. Answers the lines of a failure; none when all went as expected. */
function execute(facts: Facts, records: NodeRecords, step: Action, id: number, failures: readonly OperationSpec[]) {
  const { node, resource, operation, intervalMs } = step;
  if (node === undefined || step.kind === "pseudo") return [];
  const record = recordOf(records, node.id, node.name);
  if (step.kind === "fence") {
    if (step.fenceKind !== "on") goDown(record);
    return [];
  }
  if (operation === "clear_failcount") clearFailures(record, resource?.baseId ?? "");
  else if (step.kind === "resource") {
    const failure = failures.find((spec) => isMeant(step, spec));
    const code = failure?.code ?? step.expectedCode;
    runOperation(facts, record, step, code);
    if (resource === undefined || code === step.expectedCode) return [];
    const counted = countFailure(record, resource.baseId, `${operation}_${intervalMs}`, facts.nowSeconds);
    return [`${PRETENCE} ${id} failed with rc=${code}`, ...counted];
  }
  return [];
}

export interface SimulatedRun {
  /** What was done, in order, and what failed. */
  readonly lines: readonly string[];
  /** The CIB afterwards. */
  readonly cib: XmlElement;
  /** The transition was given up at a failure. */
  readonly failed: boolean;
}

/** Runs until nothing more can be done. After a failure only what ends a group or clone is still told. */
export function simulateRun(
  cib: XmlElement,
  { facts, graph }: Pick<Worked, "facts" | "graph">,
  failures: readonly OperationSpec[] = [],
): SimulatedRun {
  const records = readRecords(cib);
  const ids = new Map(graph.steps.map((step, index) => [step, index + 1]));
  const lines: string[] = [];
  const done = new Set<Action>();
  let failed = false;
  const mayRun = (step: Action) =>
    (!failed || step.priority >= INFINITY_SCORE) && (graph.inputs.get(step) ?? []).every((input) => done.has(input));
  for (let waiting = [...graph.steps], progress = true; progress && waiting.length > 0; ) {
    progress = false;
    const left: Action[] = [];
    for (const step of waiting) {
      if (!mayRun(step)) {
        left.push(step);
        continue;
      }
      const failure = execute(facts, records, step, ids.get(step) ?? 0, failures);
      lines.push(lineOf(step), ...failure);
      failed ||= failure.length > 0;
      done.add(step);
      progress = true;
    }
    waiting = left;
  }
  return { lines, cib: writeRecords(cib, records), failed };
}
