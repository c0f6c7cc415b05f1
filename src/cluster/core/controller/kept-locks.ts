/**
 * Shutdown locks in the status of nodes: written with the record of a stop by the node that leaves, kept by the DC for
 * as long as the node is away and until the resource runs again, given up when the node turns out to have died.
 * Fact: Pacemaker Explained, "Cluster Options" (shutdown-lock: of nodes that were shut down in order alone).
 */
import { childOf, type XmlElement, xml } from "../../../base/xml.ts";
import type { StatusChange } from "../cib-store/types.ts";
import { lowestSpoken, SPOKEN_END_LOCK } from "../spoken.ts";
import { clusterOption, historyOf, nodeState, readBoolean } from "./cib-read.ts";
import { emit, log, type Turn } from "./turn.ts";

const isLocked = ({ attributes }: XmlElement) => attributes["shutdown-lock"] !== undefined;

/**
 * The records with a lock, without their operations: what those say ends with the start of the node that they are of,
 * and on the next one the resource is looked for before it is started.
 */
function keptLocks(cib: XmlElement, node: string): readonly XmlElement[] {
  // Kept while nobody wants locks, one would spring up again with the option, however old.
  if (!readBoolean(clusterOption(cib, "shutdown-lock"), false)) return [];
  return historyOf(nodeState(cib, node))
    .filter(isLocked)
    .map((record) => ({ ...record, children: [] }));
}

/** A node's own account of its resources, with the locks that the cluster has kept for it meanwhile. */
export function withKeptLocks(cib: XmlElement, node: string, lrm: XmlElement): XmlElement {
  const kept = new Map(keptLocks(cib, node).map((record) => [record.attributes.id, record]));
  const own = childOf(lrm, "lrm_resources");
  const told = (own?.children ?? []).map((record) => {
    const lock = kept.get(record.attributes.id)?.attributes["shutdown-lock"];
    kept.delete(record.attributes.id);
    return lock === undefined ? record : { ...record, attributes: { "shutdown-lock": lock, ...record.attributes } };
  });
  return { ...lrm, children: [xml("lrm_resources", {}, [...told, ...kept.values()])] };
}

/** What is dropped of a node that has left in order: all but the locks. */
export function clearLeft(cib: XmlElement, node: string): readonly StatusChange[] {
  const cleared: StatusChange = { kind: "clear-node", node };
  const kept = keptLocks(cib, node);
  const id = nodeState(cib, node)?.attributes.id ?? node;
  const lrm = xml("lrm", { id }, [xml("lrm_resources", {}, kept)]);
  return kept.length === 0 ? [cleared] : [cleared, { kind: "replace-history", node, lrm }];
}

/** The end of a lock in words from before there were locks: the record is forgotten, and told again without it. */
function endLockPlainly(node: string, record: XmlElement): readonly StatusChange[] {
  const { id = "", class: agentClass = "", type = "", provider } = record.attributes;
  const resource = { id, class: agentClass, type, ...(provider === undefined ? {} : { provider }) };
  const told = record.children.map((operation): StatusChange => ({ kind: "set-operation", node, resource, operation }));
  return [{ kind: "delete-history", node, resource: id }, ...told];
}

/** The resource runs again, or the limit is over. */
export function endLock(turn: Turn, node: string, resource: string): void {
  const record = historyOf(nodeState(turn.state.cib, node)).find(({ attributes }) => attributes.id === resource);
  if (record === undefined || !isLocked(record)) return;
  log(turn, "info", `${resource} is no longer locked to ${node}`);
  const isUnderstood = lowestSpoken(turn.state.election) >= SPOKEN_END_LOCK;
  const changes = isUnderstood ? [{ kind: "end-lock", node, resource } as const] : endLockPlainly(node, record);
  emit(turn, { kind: "report", changes });
}

/** It has not left in order, or came back and died: nothing is to wait for it any more. */
export function endLocks(turn: Turn, node: string): void {
  for (const { attributes } of historyOf(nodeState(turn.state.cib, node))) endLock(turn, node, attributes.id ?? "");
}
