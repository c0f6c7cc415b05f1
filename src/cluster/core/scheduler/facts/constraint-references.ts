/** What a constraint's words refer to: a resource, the users of a template, the members of a tag. */
import type { XmlElement } from "../../../../base/xml.ts";
import { childrenOf } from "../../../../base/xml.ts";
import { resolveReference } from "../../../../cib/sets.ts";
import type { ConstraintsDraft } from "./draft.ts";
import type { Resource } from "./model.ts";
import { cloneOf, primitivesOf } from "./model.ts";

/**
 * A clone's child stands for the clone: a constraint cannot mean one anonymous instance. But it is known by its plain
 * name only once a node has recorded one of its instances by that name (crm_simulate as a black box).
 */
export function resourceNamed(facts: ConstraintsDraft, id: string): Resource | undefined {
  const exact = facts.byId.get(id);
  if (exact !== undefined && exact.instance < 0) return exact;
  const instance = exact ?? facts.byId.get(`${id}:0`);
  if (instance === undefined) return undefined;
  if (exact !== undefined && cloneOf(exact)?.unique === true) return exact;
  const clone = cloneOf(instance);
  if (clone === undefined) return instance;
  const isKnown = clone.children.flatMap(primitivesOf).some(({ recordedName }) => recordedName === id);
  return isKnown ? clone : undefined;
}

/** Every resource that the id means: several for a template or a tag. A tag that holds itself adds nothing. */
export function resourcesNamed(
  facts: ConstraintsDraft,
  id: string,
  through: readonly string[] = [],
): readonly Resource[] {
  const one = resourceNamed(facts, id);
  if (one !== undefined) return [one];
  const users = facts.templates.get(id);
  if (users !== undefined) return users.map((user) => cloneOf(user) ?? user);
  if (through.includes(id)) return [];
  return (facts.tags.get(id) ?? []).flatMap((member) => resourcesNamed(facts, member, [...through, id]));
}

/** A resource set, its members found. */
export interface ResourceSet {
  readonly id: string;
  readonly members: readonly Resource[];
  readonly attributes: Readonly<Record<string, string>>;
}

export function readSet(facts: ConstraintsDraft, raw: XmlElement): ResourceSet {
  const set = resolveReference(raw, facts.ids);
  const members = childrenOf(set, "resource_ref").flatMap((reference) => {
    const id = reference.attributes["id"] ?? "";
    const found = resourcesNamed(facts, id);
    if (found.length === 0) reportDangling(facts, set, id);
    return found;
  });
  return { id: set.attributes["id"] ?? "", members, attributes: set.attributes };
}

export function reportDangling(facts: ConstraintsDraft, constraint: XmlElement, id: string): void {
  facts.problems.push({
    severity: "warning",
    place: `/cib/configuration/constraints//${constraint.name}[@id="${constraint.attributes["id"] ?? ""}"]`,
    reason: `there is no resource ${id}`,
    remedy: "name one that is configured, or remove the constraint",
  });
}

/** The sets of a constraint. A template or tag in a plain constraint is a set of its users, in no order. */
export function setsOf(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  sides: readonly { readonly id: string | undefined; readonly attributes: Readonly<Record<string, string>> }[],
): readonly ResourceSet[] {
  const sets = childrenOf(constraint, "resource_set");
  if (sets.length > 0) return sets.map((set) => readSet(facts, set));
  return sides.flatMap(({ id, attributes }) => {
    if (id === undefined) return [];
    const members = resourcesNamed(facts, id);
    if (members.length === 0) reportDangling(facts, constraint, id);
    return members.length === 0 ? [] : [{ id, members, attributes: { ...attributes, sequential: "false" } }];
  });
}
