/**
 * Colocations that nobody writes: the members of a group, a guest's connection with its container, what a replica of a
 * bundle consists of.
 */
import type { Facts, Resource } from "../facts/model.ts";
import { INFINITY_SCORE, isFalse, ROLE } from "../facts/values.ts";

/** The connection into a container rather starts beside it, but can be made from anywhere. */
const CONNECTION_SCORE = 10_000;

function add(facts: Facts, id: string, dependent: Resource, primary: Resource, score = INFINITY_SCORE): void {
  facts.colocations.push({
    id,
    dependent,
    primary,
    score,
    dependentRole: ROLE.unknown,
    primaryRole: ROLE.unknown,
    nodeAttribute: "#uname",
    influence: dependent.critical,
  });
}

function addGroup(facts: Facts, group: Resource): void {
  group.children.forEach((member, index) => {
    const previous = group.children[index - 1];
    if (previous !== undefined) add(facts, "group-members", member, previous);
  });
}

function addBundle(facts: Facts, { replicas }: Resource): void {
  for (const { ip, container, remote } of replicas) {
    if (ip !== undefined) add(facts, "address-with-container", ip, container);
    if (remote !== undefined) add(facts, "connection-with-container", remote, container, CONNECTION_SCORE);
  }
}

/** Adds them to the facts, behind the configured ones. */
export function addInternalColocations(facts: Facts): void {
  for (const resource of facts.resources) {
    if (resource.kind === "group" && !isFalse(resource.meta["collocated"])) addGroup(facts, resource);
    if (resource.kind === "bundle") addBundle(facts, resource);
    else if (resource.kind === "primitive" && resource.container !== undefined && !isInBundle(resource))
      add(facts, "resource-with-container", resource, resource.container);
  }
}

function isInBundle({ parent }: Resource): boolean {
  return parent?.kind === "bundle" || parent?.parent?.kind === "bundle";
}
