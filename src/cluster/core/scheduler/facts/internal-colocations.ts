/**
 * Colocations that nobody writes: the members of a group, a guest's connection with its container, what a replica of a
 * bundle consists of.
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Colocation, Known, Resource } from "./model.ts";
import { isFalse, ROLE } from "./values.ts";

/** The connection into a container rather starts beside it, but can be made from anywhere. */
const CONNECTION_SCORE = 10_000;

function between(id: string, dependent: Resource, primary: Resource, score = INFINITY_SCORE): Colocation {
  return {
    id,
    dependent,
    primary,
    score,
    dependentRole: ROLE.unknown,
    primaryRole: ROLE.unknown,
    nodeAttribute: "#uname",
    influence: dependent.critical,
  };
}

function inGroup(group: Resource): Colocation[] {
  return group.children.flatMap((member, index) => {
    const previous = group.children[index - 1];
    return previous === undefined ? [] : [between("group-members", member, previous)];
  });
}

function inBundle({ replicas }: Resource): Colocation[] {
  return replicas.flatMap(({ ip, container, remote }) => [
    ...(ip === undefined ? [] : [between("address-with-container", ip, container)]),
    ...(remote === undefined ? [] : [between("connection-with-container", remote, container, CONNECTION_SCORE)]),
  ]);
}

/** They stand behind the configured ones. */
export function internalColocations({ resources }: Pick<Known, "resources">): Colocation[] {
  return resources.flatMap((resource) => {
    if (resource.kind === "group") return isFalse(resource.meta["collocated"]) ? [] : inGroup(resource);
    if (resource.kind === "bundle") return inBundle(resource);
    const { kind, container } = resource;
    const isBeside = kind === "primitive" && container !== undefined && !isInBundle(resource);
    return isBeside ? [between("resource-with-container", resource, container)] : [];
  });
}

function isInBundle({ parent }: Resource): boolean {
  return parent?.kind === "bundle" || parent?.parent?.kind === "bundle";
}
