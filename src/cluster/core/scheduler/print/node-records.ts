/**
 * The status of a CIB taken apart, a record a node, for those who write into it: injections and simulated runs.
 * Attributes, ids and call ids are as crm_simulate writes them. Source: its output as a black box.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";

interface ResourceRecord {
  readonly attributes: { readonly [name: string]: string };
  readonly operations: XmlElement[];
}

export interface NodeRecord {
  attributes: { [name: string]: string };
  transient: XmlElement[];
  readonly resources: Map<string, ResourceRecord>;
}

/** By node id. */
export type NodeRecords = Map<string, NodeRecord>;

/** One result of one operation, as a node would report it. */
export interface OperationResult {
  /** The name under which the executor knows the resource, and what it is. */
  readonly name: string;
  readonly agent: {
    readonly class: string;
    readonly provider: string;
    readonly type: string;
    readonly meta: Readonly<Record<string, string>>;
  };
  readonly operation: string;
  readonly intervalMs: number;
  readonly key: string;
  readonly code: number;
  readonly expectedCode: number;
  readonly digest: string;
  readonly atSeconds: number;
  readonly migration?: { readonly source?: string; readonly target?: string };
}

const ORIGIN = "gemel_simulate";
const UUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const FAIL_ATTRIBUTE = /^(?:fail-count|last-failure)-/;

function readRecord(state: XmlElement): NodeRecord {
  const resources = new Map<string, ResourceRecord>();
  for (const resource of childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource"))
    resources.set(resource.attributes["id"] ?? "", {
      attributes: resource.attributes,
      operations: [...childrenOf(resource, "lrm_rsc_op")],
    });
  return { attributes: { ...state.attributes }, transient: [...childrenOf(state, "transient_attributes")], resources };
}

export function readRecords(cib: XmlElement): NodeRecords {
  const states = childrenOf(childOf(cib, "status"), "node_state");
  return new Map(states.map((state) => [state.attributes["id"] ?? "", readRecord(state)]));
}

function writeRecord({ attributes, transient, resources }: NodeRecord): XmlElement {
  const list = [...resources.values()].map((record) => xml("lrm_resource", record.attributes, record.operations));
  const lrm = xml("lrm", { id: attributes["id"] ?? "" }, [xml("lrm_resources", {}, list)]);
  return xml("node_state", attributes, [...transient, lrm]);
}

/** The CIB with these records as its status; what else stands in the status stays, replaced by `others` if given. */
export function writeRecords(cib: XmlElement, records: NodeRecords, others?: readonly XmlElement[]): XmlElement {
  const status = childOf(cib, "status");
  const rest = others ?? status?.children.filter(({ name }) => name !== "node_state") ?? [];
  const after = xml("status", status?.attributes ?? {}, [...[...records.values()].map(writeRecord), ...rest]);
  return { ...cib, children: [...cib.children.filter(({ name }) => name !== "status"), after] };
}

/** The record of a node, made when there is none. */
export function recordOf(records: NodeRecords, id: string, name: string): NodeRecord {
  const known = records.get(id);
  if (known !== undefined) return known;
  const made: NodeRecord = { attributes: { id, uname: name }, transient: [], resources: new Map() };
  records.set(id, made);
  return made;
}

function nextCallId({ resources }: NodeRecord): number {
  let last = 0;
  for (const { operations } of resources.values())
    for (const { attributes } of operations)
      last = Math.max(last, Number.parseInt(attributes["call-id"] ?? "0", 10) || 0);
  return last + 1;
}

function entryOf(record: NodeRecord, id: string, result: OperationResult): XmlElement {
  const { operation, intervalMs, key, code, expectedCode, digest, atSeconds, migration } = result;
  const call = nextCallId(record);
  const transition = `${call}:-1:${expectedCode}:${UUID}`;
  return xml("lrm_rsc_op", {
    id,
    operation_key: key,
    operation,
    "crm-debug-origin": ORIGIN,
    "transition-key": transition,
    "transition-magic": `0:${code};${transition}`,
    "call-id": String(call),
    "rc-code": String(code),
    "op-status": "0",
    interval: String(intervalMs),
    "last-rc-change": String(atSeconds),
    "exec-time": "0",
    "queue-time": "0",
    "op-digest": digest,
    ...(migration?.source === undefined ? {} : { migrate_source: migration.source }),
    ...(migration?.target === undefined ? {} : { migrate_target: migration.target }),
  });
}

/** Writes a result over the earlier one of the same operation; a failure is kept beside as the last one. */
export function recordResult(record: NodeRecord, done: OperationResult): void {
  // What was reloaded runs as if it had been started with its new parameters, and is recorded so.
  const isReload = done.operation === "reload-agent" && done.code === 0;
  const result = isReload ? { ...done, operation: "start", key: done.key.replace("_reload-agent_", "_start_") } : done;
  const { name, agent, operation, intervalMs, code, expectedCode } = result;
  const plain = intervalMs === 0 ? `${name}_last_0` : `${name}_${operation}_${intervalMs}`;
  const known = record.resources.get(name);
  const { provider, type, meta } = agent;
  const attributes = known?.attributes ?? {
    id: name,
    class: agent.class,
    ...(provider === "" ? {} : { provider }),
    // Without the configuration nobody would know any more what it connects to.
    ...(meta["container"] === undefined ? {} : { container: meta["container"] }),
    type,
  };
  const without = (id: string) =>
    (record.resources.get(name)?.operations ?? []).filter((each) => each.attributes["id"] !== id);
  const write = (id: string) => {
    const entry = entryOf(record, id, result);
    record.resources.set(name, { attributes, operations: [...without(id), entry] });
  };
  if (code !== expectedCode) write(`${name}_last_failure_0`);
  if (code === expectedCode || intervalMs === 0) write(plain);
}

function isFailure({ attributes }: XmlElement): boolean {
  const [, , expected] = attributes["transition-key"]?.split(":") ?? [];
  return expected !== undefined && expected !== attributes["rc-code"];
}

const RUNS = new Set(["start", "promote", "demote", "migrate_from"]);
const isDone = ({ attributes }: XmlElement) => attributes["rc-code"] === "0" || attributes["rc-code"] === "8";
const callOf = ({ attributes }: XmlElement) => Number.parseInt(attributes["call-id"] ?? "0", 10) || 0;

/** What a recurring operation found, as a look at that moment. */
function asProbe(name: string, { attributes, ...rest }: XmlElement): XmlElement {
  const once = { id: `${name}_last_0`, operation_key: `${name}_monitor_0`, interval: "0" };
  return { ...rest, attributes: { ...attributes, ...once } };
}

/**
 * A recurring operation that goes on no longer; that it failed is still told. Where nothing else says so, what it found
 * last is kept: nobody looks any more, but it has not stopped for that.
 */
export function forgetRecurring(record: NodeRecord, name: string, intervalMs: number): void {
  const known = record.resources.get(name);
  if (known === undefined) return;
  const isEnding = (each: XmlElement) => each.attributes["interval"] === String(intervalMs) && !isFailure(each);
  const kept = known.operations.filter((each) => !isEnding(each));
  const found = known.operations.find((each) => isEnding(each) && isDone(each));
  const once = kept.find(({ attributes }) => attributes["id"] === `${name}_last_0`);
  const isTold =
    once !== undefined && (RUNS.has(once.attributes["operation"] ?? "") ? isDone(once) : isNewer(once, found));
  const operations =
    found === undefined || isTold ? kept : [...kept.filter((each) => each !== once), asProbe(name, found)];
  record.resources.set(name, { ...known, operations });
}

function isNewer(one: XmlElement, other: XmlElement | undefined): boolean {
  return other === undefined || callOf(one) > callOf(other);
}

/** One failure more of an operation, in the transient attributes. Answers the lines that tell of it. */
export function countFailure(record: NodeRecord, resource: string, task: string, atSeconds: number): string[] {
  const id = record.attributes["id"] ?? "";
  const names = { count: `fail-count-${resource}#${task}`, last: `last-failure-${resource}#${task}` };
  const before = record.transient
    .flatMap(({ children }) => children.flatMap((set) => set.children))
    .find(({ attributes }) => attributes["name"] === names.count)?.attributes["value"];
  const count = before === "INFINITY" ? "INFINITY" : String((Number.parseInt(before ?? "0", 10) || 0) + 1);
  setTransient(record, names.count, count);
  setTransient(record, names.last, String(atSeconds));
  return [
    `Injecting attribute ${names.count}=value++ into /node_state '${id}'`,
    `Injecting attribute ${names.last}=${atSeconds} into /node_state '${id}'`,
  ];
}

function setTransient(record: NodeRecord, name: string, value: string): void {
  const id = record.attributes["id"] ?? "";
  const pair = xml("nvpair", { id: `${id}-${name.replaceAll("#", ".")}`, name, value });
  const [transient = xml("transient_attributes", { id }), ...rest] = record.transient;
  const [set = xml("instance_attributes", { id }), ...others] = transient.children;
  const kept = set.children.filter(({ attributes }) => attributes["name"] !== name);
  record.transient = [{ ...transient, children: [{ ...set, children: [...kept, pair] }, ...others] }, ...rest];
}

/** The failures of a resource are forgotten. */
export function clearFailures(record: NodeRecord, baseId: string): void {
  const isHis = (name: string) =>
    FAIL_ATTRIBUTE.test(name) && name.replace(FAIL_ATTRIBUTE, "").split("#")[0]?.split(":")[0] === baseId;
  record.transient = record.transient.map((transient) => ({
    ...transient,
    children: transient.children.map((set) => ({
      ...set,
      children: set.children.filter(({ attributes }) => !isHis(attributes["name"] ?? "")),
    })),
  }));
}

const UP = { in_ccm: "true", crmd: "online", join: "member", expected: "member" };
const DOWN = { in_ccm: "false", crmd: "offline", join: "down", expected: "down" };

export function goUp(record: NodeRecord): void {
  record.attributes = { ...record.attributes, ...UP };
}

/** Down for good: nothing that ran there runs any more. */
export function goDown(record: NodeRecord): void {
  record.attributes = { ...record.attributes, ...DOWN };
  record.transient = [];
  record.resources.clear();
}

/** Gone without a word: what ran there may still run. */
export function goMissing(record: NodeRecord): void {
  record.attributes = { ...record.attributes, ...UP, in_ccm: "false" };
}
