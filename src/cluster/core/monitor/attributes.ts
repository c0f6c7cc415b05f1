/** Attributes of nodes as an operator wants to see them: without what only the cluster reads, ping values judged. */
import { childrenOf } from "../../../base/xml.ts";
import { PING_ATTRIBUTE } from "../keeper/ping-scores.ts";
import type { Facts, Node, Resource } from "../scheduler/facts/model.ts";
import { compareNames } from "../scheduler/facts/names.ts";

export interface ShownAttribute {
  readonly name: string;
  readonly value: string;
  /** What the ping resource running there would give if every host answered. */
  readonly expected: number | undefined;
}

/** For the cluster's own book-keeping. */
const INTERNAL = /^(?:fail-count-|last-failure-|standby$|shutdown$|terminate$|#)/;

function parameter(resource: Resource, name: string): string | undefined {
  const sets = childrenOf(resource.element, "instance_attributes");
  return sets.flatMap((set) => childrenOf(set, "nvpair")).find(({ attributes }) => attributes["name"] === name)
    ?.attributes["value"];
}

/** Fact: ocf:pacemaker:ping, parameters name, host_list, multiplier. */
function expectedValue(facts: Facts, node: Node, name: string): number | undefined {
  const pinging = facts.resources.filter(
    ({ kind, type, runningOn }) => kind === "primitive" && /^pingd?$/.test(type) && runningOn.includes(node),
  );
  const mine = pinging.find((resource) => (parameter(resource, "name") ?? "pingd") === name);
  if (mine === undefined) return undefined;
  const hosts = (parameter(mine, "host_list") ?? "").split(/\s+/).filter(Boolean).length;
  const factor = Number.parseInt(parameter(mine, "multiplier") ?? "1", 10) || 1;
  return hosts === 0 ? undefined : hosts * factor;
}

export function shownAttributes(facts: Facts, node: Node): readonly ShownAttribute[] {
  return Object.entries(node.attributes)
    .filter(([name]) => !INTERNAL.test(name))
    .toSorted(([left], [right]) => compareNames(left, right))
    .map(([name, value]) => ({ name, value, expected: expectedValue(facts, node, name) }));
}

/** The word behind a ping value; empty when all is well or it is no ping value. */
export function connectivity({ name, value, expected }: ShownAttribute): string {
  // Without a ping resource it is the keeper that counts its ping nodes.
  if (expected === undefined) return name === PING_ATTRIBUTE && value === "0" ? "Connectivity is lost" : "";
  const reached = Number.parseInt(value, 10) || 0;
  if (reached <= 0) return "Connectivity is lost";
  return reached < expected ? `Connectivity is degraded (Expected=${expected})` : "";
}
