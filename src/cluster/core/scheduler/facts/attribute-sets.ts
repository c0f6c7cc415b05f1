/**
 * Sets of name-value pairs (meta_attributes, instance_attributes, ...): which set counts first, which value wins.
 * A set of higher score wins; within equal scores the one that stands first. `id-ref` borrows a set or a pair.
 * Facts: Pacemaker Explained, "Rules", "Using Rules to Control Resource Options"; "Reusing Parts of the Configuration".
 */
import type { XmlElement } from "../../../../base/xml.ts";
import { applies, type RuleContext } from "./rules.ts";
import { parseScore } from "./values.ts";

/** All elements by id, for `id-ref`. */
export type IdIndex = ReadonlyMap<string, XmlElement>;

/** Walks the whole configuration once; only called when something refers by `id-ref`. */
export function indexIds(root: XmlElement): IdIndex {
  const index = new Map<string, XmlElement>();
  const stack: XmlElement[] = [root];
  for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
    const { id } = element.attributes;
    if (id !== undefined && !index.has(id)) index.set(id, element);
    stack.push(...element.children);
  }
  return index;
}

export function resolveReference(element: XmlElement, ids: () => IdIndex): XmlElement {
  const reference = element.attributes["id-ref"];
  return reference === undefined ? element : (ids().get(reference) ?? element);
}

function addPairs(set: XmlElement, ids: () => IdIndex, values: Record<string, string>): void {
  for (const child of set.children) {
    if (child.name === "attributes") addPairs(child, ids, values);
    if (child.name !== "nvpair") continue;
    const pair = resolveReference(child, ids);
    // A borrowed pair may stand under another name.
    const name = child.attributes["name"] ?? pair.attributes["name"];
    const { value } = pair.attributes;
    if (name === undefined || value === undefined || Object.hasOwn(values, name)) continue;
    // As if it were not written there.
    if (value === "#default") continue;
    values[name] = value;
  }
}

/** Adds what the sets say to `values`, never overwriting; `firstId` names the set that outranks every score. */
export function addSets(
  sets: readonly XmlElement[],
  ids: () => IdIndex,
  context: RuleContext,
  values: Record<string, string>,
  firstId?: string,
): Record<string, string> {
  if (sets.length === 0) return values;
  const ranked = sets.map((set) => {
    const target = resolveReference(set, ids);
    const score = target.attributes["id"] === firstId ? Infinity : parseScore(target.attributes["score"]);
    return { target, score };
  });
  if (ranked.length > 1) ranked.sort((a, b) => b.score - a.score);
  for (const { target } of ranked) if (applies(target, context)) addPairs(target, ids, values);
  return values;
}
