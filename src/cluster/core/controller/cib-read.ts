/**
 * What the controller and the status displays read from a CIB: options, node ids, node attributes, fail counts.
 * Names and places are Pacemaker's (Pacemaker Explained, "Node Status" and "Node Attributes").
 */
import { entryOf, merged } from "../../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { CLUSTER_OPTIONS, findOption } from "../../../cib/schema/options.ts";
import { readCount } from "../../../cib/schema/values.ts";
import { addPairs, FIRST_OPTION_SET, lazyIds, rankSets } from "../../../cib/sets.ts";
import { agentOf } from "../../../cib/template.ts";
import { DIALECTS } from "../scheduler/facts/read-options.ts";

export const configurationOf = (cib: XmlElement): XmlElement | undefined => childOf(cib, "configuration");

function nvpairs(set: XmlElement | undefined): Readonly<Record<string, string>> {
  const pairs = childrenOf(set, "nvpair").map(({ attributes }): [string, string] => [
    attributes.name ?? "",
    attributes.value ?? "",
  ]);
  return Object.fromEntries(pairs);
}

/** A cluster option under any of its names, from the set that the scheduler would take it from; rules are not asked. */
export function clusterOption(cib: XmlElement, name: string): string | undefined {
  const { name: today = name, aliases = [] } = findOption(CLUSTER_OPTIONS, name) ?? {};
  const sets = childrenOf(childOf(configurationOf(cib), "crm_config"), "cluster_property_set");
  const ids = lazyIds(cib);
  const options: Record<string, string> = {};
  for (const set of rankSets(sets, ids, FIRST_OPTION_SET)) addPairs(set, ids, options);
  const spelling = (entryOf(DIALECTS, today) ?? [today, ...aliases]).find((each) => Object.hasOwn(options, each));
  return spelling === undefined ? undefined : entryOf(options, spelling);
}

/** As the CIB's booleans are written; `fallback` for anything else. */
export function readBoolean(text: string | undefined, fallback: boolean): boolean {
  const word = text?.toLowerCase() ?? "";
  if (["true", "yes", "on", "1", "y"].includes(word)) return true;
  if (["false", "no", "off", "0", "n"].includes(word)) return false;
  return fallback;
}

/** Fencing is on unless `stonith-enabled` says no. */
export function isFencingEnabled(cib: XmlElement): boolean {
  return readBoolean(clusterOption(cib, "stonith-enabled"), true);
}

export interface ConfiguredNode {
  readonly id: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function configuredNodes(cib: XmlElement): readonly ConfiguredNode[] {
  return childrenOf(childOf(configurationOf(cib), "nodes"), "node").map((node) => ({
    id: node.attributes.id ?? "",
    name: node.attributes.uname ?? node.attributes.id ?? "",
    attributes: merged(childrenOf(node, "instance_attributes").map(nvpairs)),
  }));
}

export function nodeStates(cib: XmlElement): readonly XmlElement[] {
  return childrenOf(childOf(cib, "status"), "node_state");
}

export function nodeState(cib: XmlElement, node: string): XmlElement | undefined {
  return nodeStates(cib).find(({ attributes }) => attributes.uname === node);
}

/** All that the configuration has, or the status tells of: remote nodes have a state and no entry. */
export function knownNodes(cib: XmlElement): readonly string[] {
  const states = nodeStates(cib).map(({ attributes }) => attributes.uname ?? "");
  return [...new Set([...configuredNodes(cib).map(({ name }) => name), ...states])];
}

/** `ADMIN.EPOCH`: of the configuration alone. */
export function configurationVersion({ attributes }: XmlElement): string {
  return `${attributes.admin_epoch ?? "0"}.${attributes.epoch ?? "0"}`;
}

/** `ADMIN.EPOCH.UPDATES` */
export const cibVersion = (cib: XmlElement): string =>
  `${configurationVersion(cib)}.${cib.attributes.num_updates ?? "0"}`;

/** Transient attributes of a node: fail counts, promotion scores, what agents and operators set until a reboot. */
export function transientAttributes(state: XmlElement | undefined): Readonly<Record<string, string>> {
  const sets = childrenOf(childOf(state, "transient_attributes"), "instance_attributes");
  return merged(sets.map(nvpairs));
}

/** One text for all transient attributes of all nodes, to see whether any has changed. */
export function attributesText(cib: XmlElement): string {
  const all = nodeStates(cib).map((state) => [state.attributes.uname, transientAttributes(state)]);
  return JSON.stringify(all);
}

/** Exit codes of the OCF contract by which nothing can run: not installed, not running. */
const INACTIVE_CODES = new Set(["5", "7"]);

/** `op-status` of what has not ended. */
const PENDING = "-1";

/** A stop that failed or has not ended is no stop, and a start that failed may have started half of it. */
function provesInactive({ operation, "rc-code": code = "", "op-status": status }: XmlElement["attributes"]): boolean {
  if (status !== "0") return false;
  return operation === "stop" ? code === "0" : INACTIVE_CODES.has(code);
}

/** The last word on each resource of this node's history. */
const lastWords = (resource: XmlElement) =>
  childrenOf(resource, "lrm_rsc_op").filter(({ attributes }) => attributes.id?.endsWith("_last_0") === true);

/** Every `lrm_resource` of the node. */
export const historyOf = (state: XmlElement | undefined) =>
  childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource");

/** May any resource run on this node, by its history? Only what was stopped, or looked for and not found, does not. */
export function hasActiveHistory(state: XmlElement | undefined): boolean {
  return historyOf(state).some((resource) => lastWords(resource).some(({ attributes }) => !provesInactive(attributes)));
}

/** Resources whose promotion has begun on this node and has not ended, by its history. */
export function underPromotion(state: XmlElement | undefined): readonly string[] {
  const isPending = ({ attributes: { operation, "op-status": status } }: XmlElement) =>
    operation === "promote" && status === PENDING;
  return historyOf(state)
    .filter((resource) => childrenOf(resource, "lrm_rsc_op").some(isPending))
    .map(({ attributes }) => attributes.id ?? "");
}

function isRecordedActive(resource: XmlElement): boolean {
  return lastWords(resource).some(
    ({ attributes: { operation, "rc-code": code } }) => operation !== "stop" && (code === "0" || code === "8"),
  );
}

/** The nodes on which the resource is recorded as active. */
export function nodesWithActive(cib: XmlElement, resource: string): readonly string[] {
  return nodeStates(cib).flatMap((state) => {
    const record = historyOf(state).find(({ attributes }) => attributes.id === resource);
    const node = state.attributes.uname;
    return node !== undefined && record !== undefined && isRecordedActive(record) ? [node] : [];
  });
}

/** Fencing devices left out: nothing of them runs on a node. */
function primitiveIds(element: XmlElement | undefined, resources: XmlElement | undefined): readonly string[] {
  return (element?.children ?? []).flatMap((child) => {
    if (child.name !== "primitive") return primitiveIds(child, resources);
    return agentOf(child, resources).class === "stonith" ? [] : [child.attributes.id ?? ""];
  });
}

export function configuredResources(cib: XmlElement): readonly string[] {
  const resources = childOf(configurationOf(cib), "resources");
  return primitiveIds(resources, resources);
}

/** Has each configured resource been looked for on this node? Where nothing is recorded, nothing is known. */
export function isLookedOver(cib: XmlElement, state: XmlElement | undefined): boolean {
  // What is kept for its lock alone says nothing of what is there.
  const told = historyOf(state).filter(({ children }) => children.length > 0);
  const known = new Set(told.map(({ attributes }) => attributes.id?.split(":")[0]));
  return configuredResources(cib).every((id) => known.has(id));
}

/** `fail-count-ip#monitor_10000` of a failed operation; `last-failure-...` likewise. */
export function failureName(
  prefix: "fail-count" | "last-failure",
  resource: string,
  operation: string,
  intervalMs: number,
): string {
  return `${prefix}-${resource}#${operation}_${intervalMs}`;
}

/** A fail count after one failure more; what somebody has written there and is no number counts as none. */
export function raisedCount(before: string | undefined): string {
  if (before === "INFINITY" || before === "+INFINITY") return "INFINITY";
  return String(Math.min(readCount(before) + 1, 1_000_000));
}

/** Names of the attributes that record failures of the resource. */
export function failureNames(state: XmlElement | undefined, resource: string): readonly string[] {
  return Object.keys(transientAttributes(state)).filter(
    (name) =>
      name.startsWith(`fail-count-${resource}#`) ||
      name.startsWith(`last-failure-${resource}#`) ||
      name === `fail-count-${resource}` ||
      name === `last-failure-${resource}`,
  );
}
