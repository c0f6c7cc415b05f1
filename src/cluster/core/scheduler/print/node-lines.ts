/** Node attributes and fail counts as text, in the words and the layout of crm_simulate -A and -c. */
import { entryOf } from "../../../../base/record.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import { formatDate } from "../facts/dates.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { recordedFailures } from "../facts/on-fail.ts";

/** Attributes that the cluster keeps for itself, and those that make rules. */
const INTERNAL = /^(?:#|fail-count-|last-failure-|shutdown$|terminate$|standby$)/;

const upNodes = (facts: Facts) => facts.nodes.filter(({ kind, online }) => kind !== "ping" && online);

export function attributeLines(facts: Facts): string[] {
  const lines = upNodes(facts).flatMap((node) => {
    const names = Object.keys(node.attributes).filter((name) => !INTERNAL.test(name));
    const rows = names
      .toSorted()
      .map((name) => `      * ${name.padEnd(32)}\t: ${(entryOf(node.attributes, name) ?? "").padEnd(10)}`);
    return rows.length === 0 ? [] : [`    * Node: ${node.name}:`, ...rows];
  });
  return lines.length === 0 ? [] : ["  * Node Attributes:", ...lines];
}

function failCountRow(resource: Resource, node: Node): string[] {
  const { count, lastSeconds } = recordedFailures(resource, node.attributes);
  if (count === 0) return [];
  const shown = count >= INFINITY_SCORE ? "INFINITY" : String(count);
  const last = lastSeconds === 0 ? "" : ` last-failure='${formatDate(lastSeconds)}'`;
  const threshold = resource.migrationThreshold;
  return [`      * ${resource.id}: migration-threshold=${threshold} fail-count=${shown}${last}`];
}

export function failCountLines(facts: Facts): string[] {
  const seen = new Set<string>();
  const primitives = facts.resources.filter(({ kind, baseId }) => {
    if (kind !== "primitive" || seen.has(baseId)) return false;
    seen.add(baseId);
    return true;
  });
  const lines = upNodes(facts).flatMap((node) => {
    const rows = primitives.flatMap((resource) => failCountRow(resource, node));
    return rows.length === 0 ? [] : [`    * Node: ${node.name}:`, ...rows];
  });
  return ["  * Migration Summary:", ...lines];
}
