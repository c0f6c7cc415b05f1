/**
 * Plays a transition through as if every action had its expected result, and writes the results into the status: what
 * crm_simulate -S does. Pure: the CIB comes in, the lines and the new CIB go out.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import type { Step } from "../act/plan.ts";
import { currentDigest } from "../facts/digests.ts";
import type { Facts, Resource } from "../facts/model.ts";
import { cloneOf, inAnonymousClone, primitivesOf } from "../facts/model.ts";
import type { Worked } from "../worked.ts";
import { executorName, operationKey } from "./names.ts";

interface Record {
  readonly attributes: { readonly [name: string]: string };
  readonly operations: XmlElement[];
}

interface NodeRecord {
  attributes: { [name: string]: string };
  transient: XmlElement[];
  readonly resources: Map<string, Record>;
}

const FIRST_CALL_ID = 1;
const CLEARED = /^(?:fail-count|last-failure)-/;

function readState(state: XmlElement): NodeRecord {
  const resources = new Map<string, Record>();
  for (const resource of childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource"))
    resources.set(resource.attributes["id"] ?? "", {
      attributes: resource.attributes,
      operations: [...childrenOf(resource, "lrm_rsc_op")],
    });
  return { attributes: { ...state.attributes }, transient: [...childrenOf(state, "transient_attributes")], resources };
}

function writeState({ attributes, transient, resources }: NodeRecord): XmlElement {
  const list = [...resources.values()].map((record) => xml("lrm_resource", record.attributes, record.operations));
  const lrm = xml("lrm", { id: attributes["id"] ?? "" }, [xml("lrm_resources", {}, list)]);
  return xml("node_state", attributes, [...transient, lrm]);
}

/** Of an instance that has no record yet the number says nothing, if the others are recorded without one. */
function shortName(resource: Resource): string {
  if (!inAnonymousClone(resource) || resource.recordedName !== undefined) return executorName(resource);
  const siblings = cloneOf(resource)?.children.flatMap(primitivesOf) ?? [];
  return siblings.some(({ recordedName }) => recordedName === resource.baseId) ? resource.baseId : resource.id;
}

function lineOf(step: Step): string {
  const node = step.node === undefined ? "" : ` on ${step.node.name}`;
  const interval = step.intervalMs > 0 ? `=${step.intervalMs}` : "";
  if (step.kind === "fence") return `Fencing ${step.node?.name ?? ""} (${step.fenceKind ?? "reboot"})`;
  if (step.kind === "pseudo") return `Pseudo action:   ${operationKey(step)}${step.implied ? "" : node}`;
  if (step.kind === "cluster") {
    const whose = step.resource === undefined ? "" : ` for ${step.resource.id}`;
    return `Cluster action:  ${step.operation}${whose}${node}`;
  }
  const name = step.resource === undefined ? "" : shortName(step.resource);
  return `Resource action: ${name.padEnd(15)} ${step.operation}${interval}${node}`;
}

function nextCallId({ resources }: NodeRecord): number {
  let last = FIRST_CALL_ID - 1;
  for (const { operations } of resources.values())
    for (const { attributes } of operations)
      last = Math.max(last, Number.parseInt(attributes["call-id"] ?? "0", 10) || 0);
  return last + 1;
}

function recordResult(facts: Facts, record: NodeRecord, step: Step): void {
  const { resource, node, operation, intervalMs, expectedCode } = step;
  if (resource === undefined || node === undefined || operation === "notify") return;
  const name = executorName(resource);
  if (operation === "delete") {
    record.resources.delete(name);
    return;
  }
  const known = record.resources.get(name);
  if (operation === "cancel") {
    if (known === undefined) return;
    const kept = known.operations.filter(({ attributes }) => attributes["interval"] !== String(intervalMs));
    record.resources.set(name, { ...known, operations: kept });
    return;
  }
  const id = intervalMs === 0 ? `${name}_last_0` : `${name}_${operation}_${intervalMs}`;
  const result = xml("lrm_rsc_op", {
    id,
    operation_key: operationKey(step),
    operation,
    interval: String(intervalMs),
    "call-id": String(nextCallId(record)),
    "rc-code": String(expectedCode),
    "op-status": "0",
    "transition-key": `0:0:${expectedCode}:simulated`,
    "op-digest": currentDigest(facts, resource, node, { task: operation, intervalMs }),
    ...(step.meta["migrate_source"] === undefined ? {} : { migrate_source: step.meta["migrate_source"] }),
    ...(step.meta["migrate_target"] === undefined ? {} : { migrate_target: step.meta["migrate_target"] }),
  });
  const { class: agentClass, provider, type } = resource;
  const attributes = known?.attributes ?? {
    id: name,
    class: agentClass,
    ...(provider === "" ? {} : { provider }),
    type,
  };
  const isSame = ({ attributes: a }: XmlElement) =>
    a["id"] === id || (a["operation"] === operation && a["interval"] === String(intervalMs) && a["op-status"] === "-1");
  const kept = known?.operations.filter((each) => !isSame(each)) ?? [];
  record.resources.set(name, { attributes, operations: [...kept, result] });
}

function goDown(record: NodeRecord): void {
  record.attributes = { ...record.attributes, in_ccm: "false", crmd: "offline", join: "down", expected: "down" };
  record.transient = [];
  record.resources.clear();
}

function forget(record: NodeRecord, step: Step): void {
  const id = step.resource?.baseId ?? "";
  const isHis = (name: string) => CLEARED.test(name) && name.replace(CLEARED, "").split("#")[0]?.split(":")[0] === id;
  record.transient = record.transient.map((transient) => ({
    ...transient,
    children: transient.children.map((set) => ({
      ...set,
      children: set.children.filter(({ attributes }) => !isHis(attributes["name"] ?? "")),
    })),
  }));
}

function execute(facts: Facts, records: Map<string, NodeRecord>, step: Step): void {
  const { node } = step;
  if (node === undefined || step.kind === "pseudo") return;
  let record = records.get(node.id);
  if (record === undefined) {
    const attributes = { id: node.id, uname: node.name };
    record = { attributes, transient: [], resources: new Map() };
    records.set(node.id, record);
  }
  if (step.kind === "fence") goDown(record);
  else if (step.operation === "clear_failcount") forget(record, step);
  else if (step.kind === "resource") recordResult(facts, record, step);
}

/** What was done, in order, and the CIB afterwards. */
export function simulateRun(
  cib: XmlElement,
  { facts, graph }: Pick<Worked, "facts" | "graph">,
): { lines: string[]; cib: XmlElement } {
  const status = childOf(cib, "status");
  const records = new Map<string, NodeRecord>();
  for (const state of childrenOf(status, "node_state")) records.set(state.attributes["id"] ?? "", readState(state));
  const lines: string[] = [];
  const done = new Set<Step>();
  for (let waiting = [...graph.steps], progress = true; progress && waiting.length > 0; ) {
    progress = false;
    const left: Step[] = [];
    for (const step of waiting) {
      if (!(graph.inputs.get(step) ?? []).every((input) => done.has(input))) {
        left.push(step);
        continue;
      }
      lines.push(lineOf(step));
      execute(facts, records, step);
      done.add(step);
      progress = true;
    }
    waiting = left;
  }
  const rest = status?.children.filter(({ name }) => name !== "node_state") ?? [];
  const after = xml("status", status?.attributes ?? {}, [...[...records.values()].map(writeState), ...rest]);
  const others = cib.children.filter(({ name }) => name !== "status");
  return { lines, cib: { ...cib, children: [...others, after] } };
}
