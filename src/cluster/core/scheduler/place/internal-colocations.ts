/** Colocations that nobody writes: the members of a group, a guest's connection with its container. */
import type { Facts, Resource } from "../facts/model.ts";
import { INFINITY_SCORE, isFalse, ROLE } from "../facts/values.ts";

function add(facts: Facts, id: string, dependent: Resource, primary: Resource): void {
  facts.colocations.push({
    id,
    dependent,
    primary,
    score: INFINITY_SCORE,
    dependentRole: ROLE.unknown,
    primaryRole: ROLE.unknown,
    nodeAttribute: "#uname",
    influence: dependent.critical,
  });
}

/** Adds them to the facts, behind the configured ones. */
export function addInternalColocations(facts: Facts): void {
  for (const resource of facts.resources) {
    if (resource.kind === "group" && !isFalse(resource.meta["collocated"]))
      resource.children.forEach((member, index) => {
        const previous = resource.children[index - 1];
        if (previous !== undefined) add(facts, "group-members", member, previous);
      });
    if (resource.container !== undefined && resource.kind === "primitive")
      add(facts, "resource-with-container", resource, resource.container);
  }
}
